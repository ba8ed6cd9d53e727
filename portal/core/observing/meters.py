"""Counters, histograms and gauges, as the parts that know declare them. To note something is to put it on a heap.

Nobody who answers a bot waits for a file, nor fails with one: `writing` takes from the heap in a thread of its own.
Names are Prometheus's: `countersign_…`, with the unit behind, and `_total` behind what only grows. Every value of a
label comes from a closed set that the meter names: no name of an Organization or a person, no key, no amount.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any, Final, TypeAlias

Labels: TypeAlias = tuple[str, ...]
# What a label may say, by its name.
Closed: TypeAlias = "Mapping[str, Callable[[], Iterable[str]] | Iterable[str]]"

OTHER: Final = "other"
# Notes that wait where nobody writes, as in a command that ends: older ones give way.
MOST_NOTES: Final = 20_000
# A signed call takes a millisecond or two, a page ten, a call of a real exchange up to half a minute.
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

heap: Final[deque[tuple["Noted", Any, float]]] = deque(maxlen=MOST_NOTES)
# By its name, in the order in which they were declared.
_declared: Final[dict[str, "Meter"]] = {}


@dataclass(frozen=True, slots=True)
class Taken:
    """What one note says: of which meter, with which labels, how much."""

    meter: "Meter"
    labels: Labels
    amount: float


class Noted:
    """Something that notes are made of; `taken` reads them later, in the thread that writes."""

    def taken(self, said: Any, amount: float) -> Iterable[Taken]:  # noqa: ANN401  (each its own)
        """What the note means. Raises: nothing, whatever was noted."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Meter(Noted):
    """One measure: its name, what it tells, and what each of its labels may say."""

    name: str
    help: str
    labels: "Closed" = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name in _declared:
            raise ValueError(f"{self.name} is declared twice.")
        _declared[self.name] = self

    @cached_property
    def allowed(self) -> tuple[frozenset[str], ...]:
        """Of each label in turn all that it may say."""
        return tuple(frozenset(known() if callable(known) else known) | {OTHER} for known in self.labels.values())

    def series(self) -> Iterable[Labels]:
        """Every combination that there may ever be."""
        return product(*self.allowed)

    def closed(self, said: Labels) -> Labels:
        """The same labels; what is in no set becomes `other`."""
        return tuple(each if each in known else OTHER for each, known in zip(said, self.allowed, strict=True))

    def taken(self, said: Any, amount: float) -> Iterable[Taken]:  # noqa: ANN401
        """It is what it says."""
        yield Taken(self, self.closed(said), amount)


class Counter(Meter):
    """What only grows."""

    def add(self, *labels: str, amount: float = 1.0) -> None:
        """So many more."""
        heap.append((self, labels, amount))


@dataclass(frozen=True, eq=False)
class Histogram(Meter):
    """How long something takes, in seconds."""

    buckets: tuple[float, ...] = SECONDS

    def observe(self, seconds: float, *labels: str) -> None:
        """One more, that took so long."""
        heap.append((self, labels, seconds))


@dataclass(frozen=True, eq=False)
class Gauge(Meter):
    """How much there is of something in this process, asked once a second; of all processes it is the sum."""

    _asked: "list[Callable[[], Mapping[Labels, float]]]" = field(default_factory=list)

    def ask(self, read: Callable[[], Mapping[Labels, float]]) -> None:
        """From now on `read` says how much there is, from a thread of its own."""
        self._asked[:] = [read]

    def read(self) -> Mapping[Labels, float]:
        """How much there is; nothing where nobody knows. Raises: whatever who knows raises."""
        return {self.closed(said): amount for read in self._asked for said, amount in read().items()}


@dataclass(frozen=True, eq=False)
class AtScrape(Meter):
    """How it stands for the whole installation, found out when somebody asks for measures, and kept nowhere."""


def declared() -> tuple[Meter, ...]:
    """All that this process knows of."""
    return tuple(_declared.values())
