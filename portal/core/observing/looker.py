"""What takes a while to find out, found out once for all who ask, and never waited for long."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

from django.db import close_old_connections

T = TypeVar("T")


class Looker(Generic[T]):
    """Has one thread look, of which all who ask meanwhile get the answer.

    It looks anew once what it found is `kept` seconds old. Who asks waits for `patience` seconds, counted from when it
    began, and is told `late` after that.
    """

    def __init__(
        self, look: Callable[[], T], *, kept: Callable[[], float], patience: float, late: T, name: str
    ) -> None:
        self._look, self._kept, self._patience, self._late, self._name = look, kept, patience, late, name
        self._lock = Lock()
        self._thread: ThreadPoolExecutor | None = None
        self._looking: Future[T] | None = None
        self._began = 0.0

    def answer(self) -> T:
        """What was found, a moment ago or now. Raises: whatever looking raises."""
        with self._lock:
            is_old = monotonic() - self._began >= self._kept()
            if self._looking is None or (self._looking.done() and is_old):
                # Made at the first question: a thread does not live through a fork.
                self._thread = self._thread or ThreadPoolExecutor(1, thread_name_prefix=self._name)
                self._began = monotonic()
                self._looking = self._thread.submit(self._afresh)
            looking, left = self._looking, self._began + self._patience - monotonic()
        try:
            return looking.result(timeout=max(0.0, left))
        except Late:
            return self._late

    def _afresh(self) -> T:
        # As between two requests: a connection that broke is replaced.
        close_old_connections()
        return self._look()
