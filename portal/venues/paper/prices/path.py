"""How a reference price moves: in steps of one second since 1970, in whole units of the pair's last place."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STEP = timedelta(seconds=1)
# Somebody else trades at the reference price once in so many steps: trade `number` is at step `number << TRADE_OCTAVE`.
TRADE_OCTAVE = 4

# Whether any price between a low and a high one would do.
Reaches = Callable[[int, int], bool]


@dataclass(frozen=True, slots=True)
class Search:
    """The first step that was looked for, if there is one up to `examined`, which all was looked at up to."""

    step: int | None
    examined: int


class Path(Protocol):
    """The same for the same `key`, on every node and after every restart."""

    key: str
    moves: bool

    def __hash__(self) -> int: ...

    def mid(self, pair_id: str, step: int) -> int:
        """The price at that step, in whole units of the pair's last place."""

    def first(self, pair_id: str, after: int, until: int, reaches: Reaches) -> Search:
        """The first step in (after, until] whose price reaches; the work is bounded, so it may end before `until`."""

    def extremes(self, pair_id: str, since: int, until: int) -> tuple[int, int]:
        """The lowest and highest price of the public trades numbered `since` to `until`."""


def step_at(at: datetime) -> int:
    """The step in force at an instant."""
    return (at - EPOCH) // STEP


def time_of(step: int) -> datetime:
    """When a step begins."""
    return EPOCH + step * STEP
