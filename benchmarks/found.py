"""What a run is asked for, and all that it found out."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.counting.counted import Count

if TYPE_CHECKING:
    from benchmarks.contest.growth import Growth
    from benchmarks.contest.readings import Readings
    from benchmarks.ratio import Ratio


@dataclass(frozen=True, slots=True)
class Options:
    """How much is measured: keys in the database, rounds, and seconds of one stretch of time."""

    keys: int
    rounds: int
    seconds: float


@dataclass
class Found:
    """Memory is RSS and PSS, in bytes, of each process that answers."""

    options: Options
    # How many processes wanted a processor on average when the run began.
    load: float = 0.0
    postgresql: str = ""
    readings: "Readings" = field(default_factory=dict)
    counts: dict[str, Count] = field(default_factory=dict)
    idle: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    loaded: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    growth: "dict[str, Growth]" = field(default_factory=dict)
    alone: "list[Ratio]" = field(default_factory=list)
    gateway: "list[Ratio]" = field(default_factory=list)
