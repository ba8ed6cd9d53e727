"""What never ends: functions of any app that look for something to do, over and over, each in a thread of its own.

For what is to be done as soon as it can be, and may take its time: a slow one keeps no other waiting. An app puts them
into its `tasks.py`:

    @round_of("withdrawals")
    def send_withdrawals() -> bool: ...
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.utils.module_loading import autodiscover_modules

Step = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Round:
    """A function that does what is there to be done and says whether there was anything."""

    name: str
    step: Step


_rounds: Final[dict[str, Round]] = {}


def round_of(name: str) -> Callable[[Step], Step]:
    """Have the function called over and over by every `manage.py work`. It has to bear others that do the same."""

    def register(step: Step) -> Step:
        _rounds[name] = Round(name, step)
        return step

    return register


def all_rounds() -> tuple[Round, ...]:
    """Every one of every app, by name."""
    autodiscover_modules("tasks")
    return tuple(_rounds[name] for name in sorted(_rounds))


def run_once() -> int:
    """Go round once, here and now; say how many had something to do."""
    return sum(each.step() for each in all_rounds())
