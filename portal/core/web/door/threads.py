"""The threads that answer requests. The event loop hands them work, and hears of each answer once.

`concurrent.futures` would do the same with a second future, a lock and a condition for each request, and took half as
much again as all else between server and application.
"""

import asyncio
import atexit
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Generic, TypeAlias, TypeVar

from portal.core.web.frame_room import with_room

T = TypeVar("T")
Asked: TypeAlias = "tuple[asyncio.Future[T], Callable[[], T]]"


class Threads(Generic[T]):
    """So many threads, begun with the first work. What was handed in is done before the process ends."""

    def __init__(self, count: int, name: str) -> None:
        self.count, self._name = count, name
        self._asked: SimpleQueue[Asked[T] | None] = SimpleQueue()
        self._begun: list[Thread] = []
        self._beginning = Lock()

    def run(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        """What `work` answers or raises, for the running event loop to wait for; not begun if nobody waits any more."""
        if not self._begun:
            self._begin()
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._asked.put((future, work))
        return future

    @property
    def waiting(self) -> int:
        """How much was handed in that no thread has begun."""
        return self._asked.qsize()

    def end(self) -> None:
        """Let the threads finish what they have, and end."""
        with self._beginning:
            for _ in self._begun:
                self._asked.put(None)
            while self._begun:
                self._begun.pop().join()

    def _begin(self) -> None:
        with self._beginning:
            if self._begun:
                return
            # Daemons, for Python would wait for others before it runs what is to be done at its end.
            work = with_room(self._serve)
            begun = [Thread(target=work, name=f"{self._name}_{turn}", daemon=True) for turn in range(self.count)]
            for thread in begun:
                thread.start()
            self._begun = begun
            atexit.register(self.end)

    def _serve(self) -> None:
        while (asked := self._asked.get()) is not None:
            future, work = asked
            if future.cancelled():
                continue
            tell: Callable[[], None]
            try:
                tell = partial(_answered, future, work())
            except BaseException as error:  # noqa: BLE001 - it is the asker's
                tell = partial(_failed, future, error)
            # A loop that is closed waits for nothing.
            with suppress(RuntimeError):
                future.get_loop().call_soon_threadsafe(tell)
            # Not kept until the next one comes.
            del asked, future, work, tell


def _answered(future: "asyncio.Future[T]", answer: T) -> None:
    if not future.done():
        future.set_result(answer)


def _failed(future: "asyncio.Future[T]", error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
