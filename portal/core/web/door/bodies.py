"""How bodies are waited for: a short while for everybody, a while longer for a few, and for nobody without end."""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final, TypeAlias

from portal.core.web.proxies import network, source_address

LENGTH: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


Receive: TypeAlias = "Callable[[], Awaitable[MutableMapping[str, Any]]]"


class Late(Exception):
    """The body did not come in time, or too many wait for theirs."""


class TooLong(Exception):
    """It says of itself, or has shown, that it is longer than anything reads."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length


class Bodies:
    """Reads bodies of up to `limit` bytes within `deadline` seconds.

    Who sends it at once is never counted. Whoever takes longer than `at_once` seconds holds one of `slow` places, and
    one of the `slow_of_source` that a source may hold; without a place they are turned away.
    """

    def __init__(self, *, limit: int, at_once: float, deadline: float, slow: int, slow_of_source: int) -> None:
        self.limit, self.at_once, self.deadline = limit, at_once, deadline
        self.slow, self.slow_of_source = slow, slow_of_source
        self.waiting: Counter[str] = Counter()

    async def read(self, length: str, source: str, receive: Receive) -> bytes:
        """The whole body of a request that says it is so long, or nothing, and comes from that source.

        Raises: TooLong without having read it, if it says so itself; Late; ConnectionError if the sender went away.
        """
        self._refuse_by_length(length)
        loop, is_counted = asyncio.get_running_loop(), False

        def slow_now() -> None:
            nonlocal is_counted
            if self.waiting.total() >= self.slow or self.waiting[source] >= self.slow_of_source:
                limit.reschedule(loop.time())
            else:
                limit.reschedule(loop.time() + max(self.deadline - self.at_once, 0.0))
                self.waiting[source] += 1
                is_counted = True

        try:
            # Nearly every body is here at once: only one that is not has a deadline.
            async with asyncio.timeout(None) as limit:
                turn = loop.call_later(self.at_once, slow_now)
                try:
                    return await self._gather(receive)
                finally:
                    turn.cancel()
        except TimeoutError as error:
            raise Late from error
        finally:
            if is_counted:
                self.waiting[source] -= 1
                self.waiting += Counter()  # leaves out who waits no more

    def _refuse_by_length(self, length: str) -> None:
        if length and (not LENGTH.fullmatch(length) or int(length) > self.limit):
            raise TooLong(self.limit + 1)

    async def _gather(self, receive: Receive) -> bytes:
        pieces, length = list[bytes](), 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ConnectionError
            pieces.append(message.get("body", b""))
            length += len(pieces[-1])
            if length > self.limit:
                raise TooLong(length)
            if not message.get("more_body"):
                return b"".join(pieces)


def source_of(environ: Mapping[str, Any]) -> str:
    """Who a request counts for: the trusted address it came from, or of IPv6 its /64, all of which one machine has."""
    return network(source_address(environ["REMOTE_ADDR"], environ.get("HTTP_X_FORWARDED_FOR", "")))
