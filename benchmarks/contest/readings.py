"""What one stretch of time brought, and all of them."""

from dataclasses import dataclass
from typing import TypeAlias

from benchmarks.load.generator import Slice


@dataclass(frozen=True, slots=True)
class Reading:
    """One stretch of time of one contestant, and how long processors worked for it: the server's, the database's."""

    slice: Slice
    server_seconds: float
    database_seconds: float

    @property
    def cost(self) -> float:
        """Seconds of a processor for each call, server and database together."""
        return (self.server_seconds + self.database_seconds) / self.slice.calls


# By contest and contestant, one reading for each round.
Readings: TypeAlias = dict[str, dict[str, list[Reading]]]
