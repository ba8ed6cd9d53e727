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


def compare(subject: str, work: Work, base: str, base_work: Work, *, repeats: int) -> Ratio:
    """Time `repeats` of each in every round, the order changing from one round to the next."""
    work(), base_work()
    found = []
    for turn in range(ROUNDS):
        order = (work, base_work) if turn % 2 else (base_work, work)
        seconds = {each: _seconds(each, repeats) for each in order}
        found.append(seconds[work] / seconds[base_work])
    return Ratio(subject, base, statistics.median(found), min(found), max(found))


def _seconds(work: Work, repeats: int) -> float:
    started = time.perf_counter()
    for _ in range(repeats):
        work()
    return time.perf_counter() - started
