"""What each fault cost its bots: how long they waited, compared with calm, what they were told, and for how long."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.chaos.players.record import Asked, Outcome

# A goal that is stated: bots' waiting under a flood of sign-ins, compared with calm.
FLOOD_P50, FLOOD_P99 = 3.0, 10.0
BOTS: Final = frozenset({"AddOrder", "CancelOrder", "Withdraw", "Balance"})
ERRORS_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Happened:
    """One fault: from when to when it was there, when it was over, and the calm right before it.

    Moments are in seconds since 1970; `mended` is None where it was not over in time.
    """

    name: str
    what: str
    calm_from: float
    began: float
    ended: float
    mended: float | None

    @property
    def over(self) -> float:
        """When its time ends in which what happens is counted as its own."""
        return self.mended or self.ended


@dataclass
class Row:
    """All of one kind."""

    name: str
    times: int = 0
    recovery: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    calm: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Waiting:
    """Half of the bots' answers came within the first, 99 of 100 within the second; in seconds."""

    count: int
    p50: float
    p99: float


def waiting(seconds: Sequence[float]) -> Waiting | None:
    """None where there were too few answers to say."""
    if len(seconds) < 20:
        return None
    hundredths = statistics.quantiles(seconds, n=100)
    return Waiting(len(seconds), statistics.median(seconds), hundredths[98])


@dataclass
class Table:
    """The figures of a run."""

    calm: list[float]
    rows: dict[str, Row]

    def lines(self) -> Iterator[str]:
        """As it is printed."""
        calm = waiting(self.calm)
        if calm is None:
            yield "too little calm to compare with"
            return
        yield (
            f"calm: {calm.count} answers to bots, p50 {1000 * calm.p50:.0f} ms, p99 {1000 * calm.p99:.0f} ms. "
            "What follows is p50 and p99 while a fault lasts, until all is well again, in ms and in times of calm."
        )
        yield f"{'fault':<52} {'times':>5} {'well after':>16} {'calls':>6} {'p50':>14} {'p99':>16}  errors"
        for row in self.rows.values():
            yield _line(row, calm)

    def floods(self) -> Iterator[str]:
        """The ratios of the stated goal, each flood beside the calm right before it."""
        for row in self.rows.values():
            flood, calm = waiting(row.seconds), waiting(row.calm)
            if "flood" in row.name and flood and calm:
                first, second = flood.p50 / calm.p50, flood.p99 / calm.p99
                verdict = "within" if first <= FLOOD_P50 and second <= FLOOD_P99 else "BEYOND"
                yield (
                    f"{row.name}: p50 {first:.2f} times calm (goal {FLOOD_P50:.0f}), p99 {second:.2f} times "
                    f"(goal {FLOOD_P99:.0f}): {verdict} the goal; {row.times} rounds side by side, calm p50 "
                    f"{1000 * calm.p50:.0f} and p99 {1000 * calm.p99:.0f} ms of {calm.count} answers, flood "
                    f"{1000 * flood.p50:.0f} and {1000 * flood.p99:.0f} ms of {flood.count}"
                )


def table(asked: Sequence[Asked], happened: Sequence[Happened]) -> Table:
    """The figures of bots' calls."""
    calls = sorted((each for each in asked if each.what in BOTS), key=lambda each: each.began)
    rows: dict[str, Row] = {}
    calm: list[float] = []
    for fault in sorted(happened, key=lambda each: each.name):
        row = rows.setdefault(fault.name, Row(fault.name))
        row.times += 1
        if fault.mended is not None:
            row.recovery.append(fault.mended - fault.ended)
    by_time: dict[str, list[Asked]] = defaultdict(list)
    for each in calls:
        for fault in happened:
            if each.ended >= fault.began and each.began <= fault.over:
                by_time[fault.name].append(each)
            elif fault.calm_from <= each.began and each.ended < fault.began:
                rows[fault.name].calm.append(each.seconds)
                calm.append(each.seconds)
    for name, own in by_time.items():
        # A refusal is an answer; what was not answered was waited for as well.
        rows[name].seconds = [each.seconds for each in own]
        rows[name].errors = Counter(f"{each.words}" for each in own if each.outcome == Outcome.UNKNOWN)
    return Table(calm, rows)


def _line(row: Row, calm: Waiting) -> str:
    found = waiting(row.seconds)
    after = f"{statistics.median(row.recovery):.0f}, max {max(row.recovery):.0f} s" if row.recovery else "never"
    errors = ", ".join(f"{count} {words}" for words, count in row.errors.most_common(ERRORS_SHOWN)) or "none"
    if found is None:
        return f"{row.name:<52} {row.times:>5} {after:>16} {len(row.seconds):>6} {'-':>14} {'-':>16}  {errors}"
    half, most = (
        f"{1000 * now:.0f} ({now / usual:.1f}×)" for now, usual in ((found.p50, calm.p50), (found.p99, calm.p99))
    )
    return f"{row.name:<52} {row.times:>5} {after:>16} {found.count:>6} {half:>14} {most:>16}  {errors}"
