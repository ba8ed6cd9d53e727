"""Threads of this process for calls to exchanges: one that does not answer leaves some for everybody else."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from typing import Final

from django.conf import settings

from portal.core.errors import Conflict
from portal.venues.kraken.upstream.outcomes import NotSent

# How long a call waits for room, and when an exchange counts as slow.
ROOM_SECONDS: Final = 0.5
SLOW_SECONDS: Final = 1.0
CROWDED: Final = "Too many calls wait for the exchange just now."
# What nobody's Account asks: public calls.
NOBODY: Final = 0


class _Room:
    """Threads of this process for calls to exchanges: one that does not answer leaves some for everybody else.

    Together they hold three quarters of the threads at most, and those of an Account whose exchange is slow just now
    hold half.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        # Since when each call of an Account is under way.
        self._inside: dict[int, list[float]] = {}

    @contextmanager
    def one(self, account_id: int) -> Iterator[None]:
        """Raises: Conflict where there is no room, after waiting for it for a moment."""
        with self._changed:
            if not self._changed.wait_for(self._has_room, ROOM_SECONDS) or self._is_slow(account_id):
                raise Conflict(CROWDED)
            since = time.monotonic()
            self._inside.setdefault(account_id, []).append(since)
        try:
            yield
        finally:
            with self._changed:
                self._inside[account_id].remove(since)
                if not self._inside[account_id]:
                    del self._inside[account_id]
                self._changed.notify()

    def _has_room(self) -> bool:
        most: int = settings.THREADS - settings.THREADS // 4
        return sum(map(len, self._inside.values())) < max(1, most)

    def _is_slow(self, account_id: int) -> bool:
        own, half = self._inside.get(account_id, []), int(settings.THREADS // 2)
        return len(own) >= max(1, half) and time.monotonic() - min(own) > SLOW_SECONDS


room: Final = _Room()


@contextmanager
def asking(account_id: int) -> Iterator[None]:
    """Room for a question of ours to the exchange of that Account. Raises: NotSent where there is none."""
    entered = room.one(account_id)
    try:
        entered.__enter__()
    except Conflict as error:
        raise NotSent(error.message) from error
    try:
        yield
    finally:
        entered.__exit__(None, None, None)
