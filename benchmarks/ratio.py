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
    """How many times the cost of `base` one `subject` takes: the median, and the extremes over the rounds.

    `milliseconds` is the processor time of one `subject` in this process, the median as well, where that is stated.
    """

    subject: str
    base: str
    median: float
    lowest: float
    highest: float
    milliseconds: float | None = None

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
    states_milliseconds: bool = False,
) -> Ratio:
    """Time `repeats` of each in every round, the order changing from one round to the next.

    `first` and `base_first` bring about what each is timed in; they are not timed themselves.
    """
    work(), base_work()
    found, worked = [], []
    for turn in range(ROUNDS):
        seconds = {}
        for name in ("work", "base") if turn % 2 else ("base", "work"):
            bring_about, timed = (first, work) if name == "work" else (base_first, base_work)
            bring_about()
            seconds[name], processor = _seconds(timed, repeats)
            if name == "work":
                worked.append(1000 * processor / repeats)
        found.append(seconds["work"] / seconds["base"])
    milliseconds = statistics.median(worked) if states_milliseconds else None
    return Ratio(subject, base, statistics.median(found), min(found), max(found), milliseconds)


def _seconds(work: Work, repeats: int) -> tuple[float, float]:
    """By the clock on the wall, and of a processor."""
    started, worked = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        work()
    return time.perf_counter() - started, time.process_time() - worked
