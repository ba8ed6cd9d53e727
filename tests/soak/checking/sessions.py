"""What one socket was told between a connect and its end, as it came."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, TypeAlias

Row: TypeAlias = dict[str, Any]

PRIVATE: Final = ("balances", "executions")
# Frames on each side of one that is wrong.
AROUND: Final = 3


@dataclass(frozen=True, slots=True)
class Frame:
    """A message of a private channel and when it came, in seconds since 1970."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """One message as it is read: the numbers are exact. `place` is that of its frame in the session."""

    place: int
    at: float
    kind: str
    rows: tuple[Row, ...]
    sequence: int | None


@dataclass
class Session:
    """One socket from `began_at`, before it subscribed, to `ended_at`; for ever, while it is open.

    `wrong` holds what was seen to be wrong while it went on.
    """

    socket: int
    account_id: int
    node: str
    began_at: float
    frames: list[Frame] = field(default_factory=list)
    ended_at: float = math.inf
    ending: str = "open"
    wrong: list[str] = field(default_factory=list)

    @cached_property
    def told(self) -> dict[str, list[Told]]:
        """The messages of each private channel. Asked for once the session is over."""
        found: dict[str, list[Told]] = {channel: [] for channel in PRIVATE}
        for place, frame in enumerate(self.frames):
            said = json.loads(frame.text, parse_float=Decimal)
            rows = tuple(said["data"])
            found[said["channel"]].append(Told(place, frame.at, said["type"], rows, said.get("sequence")))
        return found

    def around(self, place: int) -> str:
        """The frame at that place with those beside it, as people read them."""
        first = max(0, place - AROUND)
        shown = enumerate(self.frames[first : place + AROUND + 1], first)
        return "\n".join(f"  {'>' if number == place else ' '} {number}: {frame.text}" for number, frame in shown)

    def __str__(self) -> str:
        return f"socket {self.socket} of Account {self.account_id} at {self.node}"


def updates(told: list[Told]) -> Iterator[tuple[Told, Row]]:
    """Each row of each update, with the message that it came in."""
    for message in told:
        if message.kind == "update":
            for row in message.rows:
                yield message, row
