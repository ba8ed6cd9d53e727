"""The ASGI side of the portal: it waits for whole requests, holding no thread, and has threads of each kind answer.

A thread that waits for a slow sender is one that nobody else has. So bodies are read here, in the event loop, with a
deadline; and what answers bots, pages and the watch of the operator never stands in the same line.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from portal.core.observing.meters import Counter, Gauge
from portal.core.web.door.bodies import Bodies, Late, TooLong, source_of
from portal.core.web.door.environ import add_body, environ_of
from portal.core.web.door.threads import Threads
from portal.core.web.security_headers import SECURITY_HEADERS

if TYPE_CHECKING:
    from types import TracebackType
    from wsgiref.types import WSGIApplication, WSGIEnvironment

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    Application = Callable[[Scope, Receive, Send], Awaitable[None]]
    ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

logger = logging.getLogger(__name__)
BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
# Private codes of WebSockets are these (RFC 6455 §7.4.2); before the handshake servers make it HTTP 403 of any code.
NO_SOCKET_HERE: Final = 4404
LINES: Final = {"lane": ("bots", "public", "strangers", "pages", "watch")}
REFUSED: Final = Counter(
    "countersign_door_refused_total",
    "Requests turned away at the door: the lane was full, or the body came too late.",
    {**LINES, "reason": ("full", "late")},
)
WAITING: Final = Gauge("countersign_door_waiting", "Requests that wait for a thread of their lane.", LINES)
BUSY: Final = Gauge("countersign_door_busy", "Requests that a thread of their lane is answering.", LINES)


@dataclass(frozen=True, slots=True)
class Answer:
    """One response, whole."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(slots=True)
class _Caller:
    """How many requests of one source are in a line, and its turns at the threads."""

    turns: asyncio.Semaphore
    inside: int = 0


class Line:
    """The threads that answer one kind of request, and how many requests may stand before them.

    One source has `of_source` of the threads at a time, and half of the places: whoever asks without end waits for
    itself, and not everybody for it. `late` answers one whose body did not come in time, `full` one that finds the
    line too long.
    """

    def __init__(
        self, name: str, *, threads: int, longest: int, late: Answer, full: Answer, of_source: int | None = None
    ) -> None:
        self.name, self.longest, self.late, self.full = name, longest, late, full
        self.inside = self.handed = 0
        self.of_source = of_source or threads
        self.callers: dict[str, _Caller] = {}
        self.threads = Threads[Answer](threads, name)

    async def answer(self, application: "WSGIApplication", environ: "WSGIEnvironment", source: str) -> Answer:
        """Have one of the threads run the application, when it is the turn of `source`."""
        caller = self.callers.get(source) or _Caller(asyncio.Semaphore(self.of_source))
        if self.inside >= self.longest or caller.inside >= self.longest // 2:
            REFUSED.add(self.name, "full")
            return self.full
        self.callers[source] = caller
        self.inside += 1
        caller.inside += 1
        try:
            async with caller.turns:
                self.handed += 1
                try:
                    return await self.threads.run(partial(_run, application, environ))
                finally:
                    self.handed -= 1
        finally:
            self.inside -= 1
            caller.inside -= 1
            if not caller.inside:
                self.callers.pop(source, None)

    @property
    def busy(self) -> int:
        """How many requests a thread is at; the others wait."""
        return max(self.handed - self.threads.waiting, 0)


def watch_over(*lines: Line) -> None:
    """From now on it is told how it stands in these."""
    BUSY.ask(lambda: {(line.name,): line.busy for line in lines})
    WAITING.ask(lambda: {(line.name,): line.inside - line.busy for line in lines})


class Door:
    """An ASGI application around a WSGI one, and in front of what serves WebSockets.

    `line_of` says by the path in which line a request stands, `sockets` by the path who serves a WebSocket. `at_end`
    is done when the server has answered its last one: uvicorn then ends its process by the signal that it got, and
    nothing runs after that.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        *,
        line_of: Callable[[str], Line],
        bodies: Bodies,
        sockets: "Mapping[str, Application]",
        at_end: Callable[[], None] = lambda: None,
    ) -> None:
        self.application, self.line_of, self.bodies, self.sockets = application, line_of, bodies, sockets
        self.at_end = at_end

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer one request as ASGI asks for it, or serve one WebSocket; who hangs up meanwhile is told nothing."""
        if scope["type"] == "websocket":
            await self._serve(scope, receive, send)
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(scope, receive)
        except ConnectionError:
            return
        headers = [ALIKE.get(header) or _on_the_wire(header) for header in answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _live(self, receive: "Receive", send: "Send") -> None:
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await asyncio.to_thread(self.at_end)
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        # A path is written in one way, so that a proxy's rule about it sees every socket.
        is_plain = b"%" not in (scope.get("raw_path") or b"")
        socket = self.sockets.get(scope["path"]) if is_plain else None
        if socket is not None:
            await socket(scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.close", "code": NO_SOCKET_HERE})

    async def _answer(self, scope: "Scope", receive: "Receive") -> Answer:
        line, environ = self.line_of(scope["path"]), environ_of(scope)
        source, body, claimed = source_of(environ), b"", 0
        if scope["method"] not in BODILESS:
            try:
                body = await self.bodies.read(environ.get("CONTENT_LENGTH", ""), source, receive)
            except TooLong as error:
                # The application refuses it in its own words, by the length alone.
                claimed = error.length
            except Late:
                REFUSED.add(line.name, "late")
                return line.late
        add_body(environ, body, claimed=claimed)
        return await line.answer(self.application, environ, source)


def _on_the_wire(header: tuple[str, str]) -> tuple[bytes, bytes]:
    """A header as ASGI has it."""
    name, value = header
    return name.lower().encode(), value.strip().encode("latin-1")


# The same in each answer, or nearly so.
ALIKE: Final = {header: _on_the_wire(header) for header in (*SECURITY_HEADERS.items(), ("Cache-Control", "no-store"))}


def _run(application: "WSGIApplication", environ: "WSGIEnvironment") -> Answer:
    status, headers = "", list[tuple[str, str]]()

    def start(said: str, given: list[tuple[str, str]], exc_info: "ExcInfo | None" = None, /) -> Callable[..., object]:
        nonlocal status, headers
        status, headers = said, given
        return _written

    try:
        pieces = application(environ, start)
        try:
            body = b"".join(pieces)
        finally:
            if hasattr(pieces, "close"):
                pieces.close()
    except Exception:
        logger.exception("A request was not answered")
        said = {**SECURITY_HEADERS, "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
        return Answer(500, list(said.items()), b"Internal error\n")
    return Answer(int(status[:3]), headers, body)


def _written(_: bytes, /) -> None:
    raise NotImplementedError("PEP 3333 keeps this way of answering for old code; there is none here.")
