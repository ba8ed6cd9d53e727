"""Two ways of doing the same, timed in turns in one run: what is stated is their ratio, never a rate."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

ROUNDS: Final = 7
Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times the cost of `base` one `subject` takes: the median, and the extremes over the rounds."""

    subject: str
    base: str
    median: float
    lowest: float
    highest: float

    def __str__(self) -> str:
        return f"{self.median:5.2f}  ({self.lowest:.2f} to {self.highest:.2f})  {self.subject} : {self.base}"


def compare(
    subject: str,
    work: Work,
    base: str,
    base_work: Work,
    *,
    repeats: int,
    first: Work = lambda: None,
    base_first: Work = lambda: None,
) -> Ratio:
    """Time `repeats` of each in every round, the order changing from one round to the next.

    `first` and `base_first` bring about what each is timed in; they are not timed themselves.
    """
    work(), base_work()
    found = []
    for turn in range(ROUNDS):
        seconds = {}
        for name in ("work", "base") if turn % 2 else ("base", "work"):
            bring_about, timed = (first, work) if name == "work" else (base_first, base_work)
            bring_about()
            seconds[name] = _seconds(timed, repeats)
        found.append(seconds["work"] / seconds["base"])
    return Ratio(subject, base, statistics.median(found), min(found), max(found))


def _seconds(work: Work, repeats: int) -> float:
    started = time.perf_counter()
    for _ in range(repeats):
        work()
    return time.perf_counter() - started
