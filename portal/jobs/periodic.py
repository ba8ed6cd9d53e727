"""What only time brings about: functions of any app that are called every so often, by one worker at a time.

An app puts them into its `tasks.py`:

    @every(60)
    def expire_requests() -> str: ...
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules

from portal.jobs.models import DutyTurn

# Whoever has taken a duty and is gone without a word loses it to another worker after this.
LEASE: Final = timedelta(minutes=5)

Run = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Duty:
    """A function that is due again `seconds` after it began."""

    name: str
    seconds: int
    run: Run


_duties: dict[str, Duty] = {}


def every(seconds: int) -> Callable[[Run], Run]:
    """Have the function called about every `seconds` by `manage.py work`. It has to bear being called twice."""

    def register(run: Run) -> Run:
        name = f"{run.__module__}.{run.__qualname__}"
        _duties[name] = Duty(name, seconds, run)
        return run

    return register


def all_duties() -> tuple[Duty, ...]:
    """Every duty of every app, by name."""
    autodiscover_modules("tasks")
    return tuple(_duties[name] for name in sorted(_duties))


def take(duty: Duty, now: datetime) -> bool:
    """Whether the caller has the duty now. Of any number that ask at once one gets it, by one statement."""
    # Later than any turn that was written now: the clock ran ahead then, and the duty must not sleep until it is right.
    too_late = now + max(timedelta(seconds=duty.seconds), LEASE) + LEASE
    due = Q(due_at__lte=now) | Q(due_at__gt=too_late)
    taken = DutyTurn.objects.filter(due, name=duty.name).update(due_at=now + LEASE)
    if taken:
        return True
    if DutyTurn.objects.filter(name=duty.name).exists():
        return False
    # The first time ever: whoever gets the row in has the duty.
    made = DutyTurn.objects.bulk_create([DutyTurn(name=duty.name, due_at=now)], ignore_conflicts=True)
    return bool(made) and bool(DutyTurn.objects.filter(name=duty.name, due_at__lte=now).update(due_at=now + LEASE))


def give_back(duty: Duty, began: datetime) -> None:
    """Let the duty be due again in its time."""
    DutyTurn.objects.filter(name=duty.name).update(due_at=began + timedelta(seconds=duty.seconds))


def run_due(now: datetime | None = None) -> int:
    """Run every duty that is due and that nobody else has; say how many those were.

    Raises: whatever a duty raises, after it was given back.
    """
    ran = 0
    for duty in all_duties():
        began = now or timezone.now()
        if take(duty, began):
            try:
                duty.run()
            finally:
                give_back(duty, began)
            ran += 1
    return ran
