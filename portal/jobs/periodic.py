"""What only time brings about: functions of any app that are called every so often, by one worker at a time.

An app puts them into its `tasks.py`:

    @every(60)
    def expire_requests() -> str: ...
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules

from portal.core import call_origin
from portal.core.observing.meters import Counter, Histogram
from portal.core.observing.spans import root
from portal.jobs.models import TaskTurn

# Whoever has taken a periodic task and is gone without a word loses it to another worker after this.
LEASE: Final = timedelta(minutes=5)

Run = Callable[[], object]


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """A function that is due again `seconds` after it began."""

    name: str
    seconds: int
    run: Run


_tasks: dict[str, PeriodicTask] = {}


def every(seconds: int) -> Callable[[Run], Run]:
    """Have the function called about every `seconds` by `manage.py work`. It has to bear being called twice."""

    def register(run: Run) -> Run:
        name = f"{run.__module__}.{run.__qualname__}"
        _tasks[name] = PeriodicTask(name, seconds, run)
        return run

    return register


def all_tasks() -> tuple[PeriodicTask, ...]:
    """Every periodic task of every app, by name."""
    autodiscover_modules("tasks")
    return tuple(_tasks[name] for name in sorted(_tasks))


def names() -> tuple[str, ...]:
    """Of every one."""
    return tuple(task.name for task in all_tasks())


RUN: Final = Histogram("countersign_task_seconds", "How long periodic tasks took.")
FAILED: Final = Counter("countersign_task_failures_total", "Periodic tasks that failed, by task.", {"task": names})


def take(task: PeriodicTask, now: datetime) -> bool:
    """Whether the caller has the task now. Of any number that ask at once one gets it, by one statement."""
    # Later than any turn that was written now: the clock ran ahead then, and the task must not sleep until it is right.
    too_late = now + max(timedelta(seconds=task.seconds), LEASE) + LEASE
    due = Q(due_at__lte=now) | Q(due_at__gt=too_late)
    taken = TaskTurn.objects.filter(due, name=task.name).update(due_at=now + LEASE)
    if taken:
        return True
    if TaskTurn.objects.filter(name=task.name).exists():
        return False
    # The first time ever: whoever gets the row in has the task.
    made = TaskTurn.objects.bulk_create([TaskTurn(name=task.name, due_at=now)], ignore_conflicts=True)
    return bool(made) and bool(TaskTurn.objects.filter(name=task.name, due_at__lte=now).update(due_at=now + LEASE))


def give_back(task: PeriodicTask, began: datetime) -> None:
    """Let the task be due again in its time."""
    TaskTurn.objects.filter(name=task.name).update(due_at=began + timedelta(seconds=task.seconds))


def run_due(now: datetime | None = None) -> int:
    """Run every task that is due and that nobody else has; say how many those were.

    Raises: whatever a task raises, after it was given back.
    """
    ran = 0
    for task in all_tasks():
        began = now or timezone.now()
        if take(task, began):
            call_origin.begins(task.name)
            entered = monotonic()
            try:
                with root(f"task {task.name}"):
                    task.run()
            except Exception:
                FAILED.add(task.name)
                raise
            finally:
                RUN.observe(monotonic() - entered)
                give_back(task, began)
            ran += 1
    call_origin.begins("")
    return ran
