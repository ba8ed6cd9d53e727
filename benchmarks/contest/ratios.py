"""From readings to ratios: each of one round, then the median of all rounds with the lowest and the highest."""

import statistics
from collections.abc import Callable, Sequence
from typing import TypeAlias

from benchmarks.contest.readings import Reading
from benchmarks.ratio import Ratio

Figure: TypeAlias = Callable[[Reading], float]


def rate(reading: Reading) -> float:
    """Calls a second."""
    return reading.slice.rate


def cost(reading: Reading) -> float:
    """Seconds of a processor for each call."""
    return reading.cost


def database_cost(reading: Reading) -> float:
    """The database's part of `cost`."""
    return reading.database_seconds / reading.slice.calls


def thrift(reading: Reading) -> float:
    """Calls for each second that a processor worked, for the server or for the database."""
    return 1 / reading.cost


def quantile(share: float) -> Figure:
    """The time within which that share of calls was answered."""
    return lambda reading: reading.slice.quantile(share)


def ratio(
    figure: Figure, subject: str, readings: Sequence[Reading], base: str, base_readings: Sequence[Reading]
) -> Ratio:
    """How many times the figure of `base` that of `subject` is: both of the same round."""
    each = [figure(one) / figure(other) for one, other in zip(readings, base_readings, strict=True)]
    return Ratio(subject, base, statistics.median(each), min(each), max(each))


def median(figure: Figure, readings: Sequence[Reading]) -> float:
    """The figure itself, in the middle of all rounds: for scale, not to compare runs by."""
    return statistics.median(map(figure, readings))
