"""The news of an Account as one socket is told them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from portal.api.stream import frames
from portal.api.stream.channels.private import Frames
from portal.api.stream.connection import Connection
from portal.api.stream.frames import Data
from portal.venues.journal.reading import Journalled
from portal.venues.types import Event

SNAPSHOT: Final = "snapshot"
UPDATE: Final = "update"

# The frames in which an event is told.
Told = Callable[[Event], Frames]
Leave = Callable[["Private"], None]


@dataclass(slots=True, eq=False)
class Private:
    """Events of the key's Account: every one after `place` is told, once and in order, in frames numbered from 1."""

    connection: Connection
    channel: str
    label: str
    account_id: int
    options: object
    leave: Leave
    told: Told
    place: int = 0
    sequence: int = field(default=0, init=False)
    is_over: bool = field(default=False, init=False)

    def snapshot(self, told: Frames, place: int) -> None:
        """Say how things stand at that place of the journal; what follows is told from there."""
        self.place = place
        for rows in told:
            self._say(SNAPSHOT, rows)

    def take(self, event: Journalled) -> None:
        """Tell of one event, unless it was told before, or earlier ones are still to be told."""
        if event.number == self.place + 1:
            self.place = event.number
            for rows in self.told(event.event):
                self._say(UPDATE, rows)

    def end(self) -> None:
        """Tell nothing any more."""
        self.is_over = True
        self.leave(self)

    def _say(self, kind: str, rows: Data) -> None:
        self.sequence += 1
        self.connection.say(frames.data(self.channel, kind, rows, sequence=self.sequence))
