"""A bot's side of a socket, on the ASGI application itself: no server between, every frame in a test's hands."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from threading import Barrier
from typing import Any, TypeAlias

from asgiref.sync import sync_to_async
from django.db import connections

from portal.api.stream import threads
from portal.api.stream.application import application
from portal.api.stream.threads import run

Frame: TypeAlias = "dict[str, Any]"
WAIT = 5.0


class Closed(Exception):
    """The portal ended the socket."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code, self.reason = code, reason


class Socket:
    """One open socket. While `reads` is clear nothing gets out, as with a reader who does not read."""

    def __init__(self) -> None:
        self.to_portal: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self.from_portal: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()
        self.to_portal.put_nowait({"type": "websocket.connect"})

    async def take(self, message: MutableMapping[str, Any]) -> None:
        """What the application sends."""
        await self.reads.wait()
        await self.from_portal.put(message)

    def send(self, **frame: Any) -> None:
        self.send_text(json.dumps(frame))

    def send_text(self, text: str) -> None:
        self.to_portal.put_nowait({"type": "websocket.receive", "text": text})

    def send_bytes(self, some: bytes) -> None:
        self.to_portal.put_nowait({"type": "websocket.receive", "bytes": some})

    async def next(self, within: float = WAIT) -> Frame:
        """The next frame, whatever it is. Raises: Closed; TimeoutError."""
        async with asyncio.timeout(within):
            message = await self.from_portal.get()
        if message["type"] == "websocket.close":
            raise Closed(message.get("code", 1000), message.get("reason", ""))
        found: Frame = json.loads(message["text"])
        return found

    async def frame(self, within: float = WAIT, **like: Any) -> Frame:
        """The next frame that has these values; others are passed over. Raises: Closed; TimeoutError."""
        async with asyncio.timeout(within):
            while True:
                found = await self.next()
                if all(found.get(name) == value for name, value in like.items()):
                    return found

    async def end(self, within: float = WAIT) -> Closed:
        """How the portal ends it."""
        async with asyncio.timeout(within):
            while True:
                try:
                    await self.next()
                except Closed as closed:
                    return closed

    async def nothing(self, during: float = 0.3, **like: Any) -> None:
        """No such frame comes."""
        try:
            found = await self.frame(during, **like)
        except TimeoutError:
            return
        raise AssertionError(found)

    async def ask(self, method: str, /, **params: Any) -> Frame:
        """The answer to one request."""
        self.send(method=method, req_id=7, **({"params": params} if params else {}))
        return await self.frame(req_id=7)


@asynccontextmanager
async def opened(
    *, source: str = "127.0.0.1", path: str = "/v2", scheme: str = "wss", headers: tuple[tuple[bytes, bytes], ...] = ()
) -> AsyncIterator[Socket]:
    """A socket whose first frames are still to be read; gone at the end of the block."""
    socket = Socket()
    scope = {
        "type": "websocket", "path": path, "scheme": scheme, "client": (source, 50000), "headers": list(headers),
        "extensions": {"websocket.http.response": {}},
    }  # fmt: skip
    serving = asyncio.create_task(application(scope, socket.to_portal.get, socket.take))
    first = await asyncio.wait_for(socket.from_portal.get(), WAIT)
    if first["type"] != "websocket.accept":
        await serving
        raise Closed(first.get("status", 403), "")
    try:
        yield socket
    finally:
        socket.reads.set()
        socket.to_portal.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait_for(serving, WAIT)


def played(scene: Callable[[], Awaitable[None]]) -> None:
    """Run a scene in a loop of its own; afterwards nothing is left of it, no connection of the database either."""

    async def whole() -> None:
        try:
            await asyncio.wait_for(scene(), 60)
        finally:
            await _disconnect()

    asyncio.run(whole())


async def _disconnect() -> None:
    pools = (
        (run, threads.COUNT),
        (threads.run_prices, threads.OF_PRICES),
        (threads.run_watch, 1),
        (threads.run_news, 1),
    )
    await asyncio.gather(*(_all_of(*pool) for pool in pools))
    await sync_to_async(connections.close_all)()


async def _all_of(in_thread: Callable[[Callable[[], None]], Awaitable[None]], count: int) -> None:
    """Close the connection of each of a pool's threads: none ends before all have begun."""
    together = Barrier(count)

    def close() -> None:
        together.wait(WAIT)
        connections.close_all()

    await asyncio.gather(*(in_thread(close) for _ in range(count)))
