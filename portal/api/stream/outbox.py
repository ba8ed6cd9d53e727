"""What waits to be sent on one socket: in order, and never more than so many bytes."""

import asyncio
from collections import deque


class Outbox:
    """Frames that wait for the reader at the other end. Whoever is too slow for them finds out by `is_full`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self.is_full = False
        self._is_sending = False
        self._frames: deque[str] = deque()
        self._has_some = asyncio.Event()

    def put(self, frame: str) -> bool:
        """Let a frame wait at the end; False if it found no room, and from then on for every other one.

        A reader that missed one frame must not be told the next: what it knows would be wrong without a sign of it.
        """
        if self.is_full or self.size + len(frame) > self.limit:
            self.is_full = True
            return False
        self._frames.append(frame)
        self.size += len(frame)
        self._has_some.set()
        return True

    async def take(self) -> str:
        """The next frame, as soon as there is one. It counts until `sent`."""
        while not self._frames:
            self._has_some.clear()
            await self._has_some.wait()
        self._is_sending = True
        return self._frames.popleft()

    def sent(self, frame: str) -> None:
        """The frame has gone out: there is room for others."""
        self.size -= len(frame)
        self._is_sending = False

    def left(self) -> list[str]:
        """All that still waits, to be sent before a goodbye; nothing if some before it was lost, or may be."""
        waiting = [] if self.is_full or self._is_sending else list(self._frames)
        self._frames.clear()
        return waiting
