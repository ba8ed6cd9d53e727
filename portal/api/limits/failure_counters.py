"""Where failures are counted: in this process, unless `shared_counters` has them. What they mean is `lockout`'s.

A counter leaks by API_FLOOD_DECAY a second. None of this is kept for good: a lost counter is a source forgiven.
"""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Final, Protocol

from django.conf import settings

KEPT: Final = 10_000
# Clocks further apart than this are not those of nodes that keep time: one of them was set, and the newest counts.
SKEW_SECONDS: Final = 5.0


@dataclass(slots=True)
class Counter:
    """`level` leaks from `level_at` on; `in_a_row` counts until `calm`; `until` is a time somebody set."""

    level: float = 0.0
    level_at: float = 0.0
    in_a_row: int = 0
    until: float = 0.0

    def level_now(self, moment: float) -> float:
        """What is left of the level at `moment`, in Unix seconds, after it has leaked since; never below zero."""
        return max(self.level - max(moment - self.level_at, 0.0) * settings.API_FLOOD_DECAY, 0.0)

    def add(self, moment: float, cost: float) -> None:
        """Let it leak, then add the cost."""
        self.level = self.level_now(moment) + cost
        self.level_at = self.level_at if 0 < self.level_at - moment <= SKEW_SECONDS else moment
        self.in_a_row += 1


class Counters(Protocol):
    """Counters by name. Times are Unix seconds. `kept_in` says whose they are: `process` or `redis`."""

    kept_in: str

    def look(self, name: str) -> Counter | None:
        """The counter as it is, without counting; None where nothing is known."""

    def count(self, name: str, moment: float, cost: float = 1.0) -> Counter:
        """Let it leak, then add the cost."""

    def set_until(self, name: str, until: float) -> None:
        """Keep a time with it, in Unix seconds, until which somebody has to wait."""

    def calm(self, name: str) -> None:
        """End the row."""

    def clear(self) -> None:
        """Forget everything; for tests."""

    def answers(self) -> bool:
        """Whether they can be reached now; asked by whoever looks after the portal."""

    def is_away(self) -> bool:
        """Whether they cannot, as this process last knew; asks nothing."""


class InProcess:
    """Counters of this process alone, a bounded number of them."""

    kept_in = "process"

    def __init__(self) -> None:
        self._counters: OrderedDict[str, Counter] = OrderedDict()
        self._lock = Lock()

    def look(self, name: str) -> Counter | None:
        """Takes no lock, so the hot path waits for nobody."""
        return self._counters.get(name)

    def count(self, name: str, moment: float, cost: float = 1.0) -> Counter:
        """Under the lock that all threads share."""
        with self._lock:
            counter = self._made(name)
            counter.add(moment, cost)
            return counter

    def set_until(self, name: str, until: float) -> None:
        """Makes the counter where there is none."""
        with self._lock:
            self._made(name).until = until

    def calm(self, name: str) -> None:
        """Where there is no counter there is no row."""
        counter = self._counters.get(name)
        if counter is not None:
            counter.in_a_row = 0

    def clear(self) -> None:
        """Under the same lock."""
        with self._lock:
            self._counters.clear()

    def answers(self) -> bool:
        """Always: they are here."""
        return True

    def is_away(self) -> bool:
        """Never."""
        return False

    def _made(self, name: str) -> Counter:
        counter = self._counters.setdefault(name, Counter())
        self._counters.move_to_end(name)
        while len(self._counters) > KEPT:
            self._counters.popitem(last=False)
        return counter
