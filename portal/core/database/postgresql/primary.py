"""Whether any host takes changes: found out by a process once, so that its threads do not each wait for the same.

While none does, one thread for each host looks again and again, and everybody else is told at once. A host that was cut
off without a word would hold each of them for seconds, at each call.
"""

import logging
from threading import Event, Lock, Thread
from typing import Final

import psycopg

from portal.core.database.postgresql import hosts
from portal.core.database.postgresql.hosts import Parameters, Place

logger = logging.getLogger(__name__)

# Seconds between two looks at one host.
LOOKS_EVERY: Final = 0.5


class Primary:
    """What one process knows of it. `place` took changes last; `standby` answered last of those that do not."""

    def __init__(self) -> None:
        self.place: Place | None = None
        self.standby: Place | None = None
        self._lock = Lock()
        self._found = Event()
        self._lookers: list[Thread] = []

    def is_away(self) -> bool:
        """Whether it was missed and is still looked for. A process that forked has to miss it anew."""
        return not self._found.is_set() and any(looker.is_alive() for looker in self._lookers)

    def missed(self, parameters: Parameters) -> None:
        """Nobody took changes just now: look for whoever does, until one is found."""
        with self._lock:
            if self.is_away():
                return
            logger.warning("No host of the database takes changes: looking for one that does")
            found = self._found = Event()
            self._lookers = [
                Thread(target=self._look, args=(parameters, place, found), name="primary", daemon=True)
                for place in hosts.places(parameters)
            ]
            for looker in self._lookers:
                looker.start()

    def _look(self, parameters: Parameters, place: Place, found: Event) -> None:
        while not found.is_set():
            try:
                if hosts.takes_changes(parameters, place):
                    self.place = place
                    logger.warning("%s takes changes", ":".join(place))
                    found.set()
                else:
                    self.standby = place
            except psycopg.Error:
                # Neither: it does not answer.
                if self.standby == place:
                    self.standby = None
            found.wait(LOOKS_EVERY)


primary: Final = Primary()
