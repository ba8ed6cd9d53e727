"""A proxy on the way to the exchange that lets pass, spoils or swallows what a test says, and remembers everything."""

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from time import monotonic, time
from typing import Any, Final
from urllib.parse import urlsplit

from tests.gateway.proxy import faults
from tests.gateway.proxy.faults import Fault
from tests.gateway.proxy.traffic import Answer, Request
from tests.ports import lasting

# Said anew for each connection: by whoever sends.
CARRIED: Final = frozenset(
    {"connection", "content-length", "date", "host", "keep-alive", "server", "transfer-encoding"}
)
RESET: Final = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class _Rule:
    """Which requests go wrong how: the `nth` of a method or all of them, at most so many times."""

    method: str | None
    fault: Fault
    nth: int | None
    times: int | None

    def meets(self, request: Request) -> bool:
        return self.method in (None, request.method) and self.nth in (None, request.nth) and self.times != 0


class Proxy:
    """Where the gateway is sent instead of the exchange. Without a plan everything passes."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.port = lasting()
        self.url = f"http://127.0.0.1:{self.port}"
        self.closing = Event()
        self._lock = Lock()
        self._requests: list[Request] = []
        self._counted: dict[str, int] = {}
        self._rules: list[_Rule] = []
        self._by: list[Callable[[Request], Fault | None]] = []
        self._open: set[socket.socket] = set()
        self._server: _Server | None = None

    # --- What a test plans -------------------------------------------------------------------------------------------

    def on(self, method: str | None, fault: Fault, *, nth: int | None = None, times: int | None = None) -> None:
        """Let requests of that method, or of all, meet the fault.

        `nth`: only the how-manieth since the last `forget`, from 1. `times`: only the next so many. What was planned
        first is looked at first.
        """
        with self._lock:
            self._rules.append(_Rule(method, fault, nth, times))

    def whenever(self, choose: Callable[[Request], Fault | None]) -> None:
        """Ask a function for each request, before the plan; None lets it meet that."""
        with self._lock:
            self._by.append(choose)

    def all_is_well(self) -> None:
        """End the plan; what happened stays."""
        with self._lock:
            self._rules.clear()
            self._by.clear()

    def forget(self) -> None:
        """End the plan, and forget what happened."""
        self.all_is_well()
        with self._lock:
            self._requests.clear()
            self._counted.clear()

    # --- What a test counts ------------------------------------------------------------------------------------------

    def requests(self, method: str | None = None) -> list[Request]:
        """Everything that came, or of one method, in the order in which it did."""
        with self._lock:
            return [each for each in self._requests if method in (None, each.method)]

    def executed(self, method: str | None = None) -> list[Request]:
        """What of it the exchange was given, and answered to, whether the answer came back or not."""
        return [each for each in self.requests(method) if each.executed]

    def accepted(self, method: str | None = None) -> list[Request]:
        """What of that the exchange did."""
        return [each for each in self.executed(method) if each.accepted]

    # --- Its life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Listen, under the same address as before."""
        self.closing.clear()
        self._server = _Server(self)
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """End every connection; whoever connects is refused, until it starts again."""
        self.closing.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        with self._lock:
            still_open, self._open = self._open, set()
        for connected in still_open:
            _close(connected)

    @contextmanager
    def away(self) -> Iterator[None]:
        """For so long nothing listens there."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    # --- What its connections ask it ---------------------------------------------------------------------------------

    def met_by(self, request: Request) -> Fault:
        """Note the request; what it is to meet."""
        with self._lock:
            request.nth = self._counted[request.method] = self._counted.get(request.method, 0) + 1
            self._requests.append(request)
            choices = list(self._by)
        for choose in choices:
            if (fault := choose(request)) is not None:
                return fault
        with self._lock:
            for rule in self._rules:
                if rule.meets(request):
                    rule.times = None if rule.times is None else rule.times - 1
                    return rule.fault
        return faults.none

    def note_open(self, connected: socket.socket, *, is_open: bool) -> None:
        """Which connections have to be closed at the end."""
        with self._lock:
            (self._open.add if is_open else self._open.discard)(connected)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", proxy.port), _Connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hangs up in the middle is part of the game."""


class _Connection(BaseHTTPRequestHandler):
    """One connection of the gateway, and one to the exchange behind it, both kept open from request to request."""

    protocol_version = "HTTP/1.1"
    server: _Server
    request: Any

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self.server.proxy.note_open(self.connection, is_open=True)
        self._behind = HTTPConnection(urlsplit(self.server.proxy.upstream).netloc, timeout=60)

    def finish(self) -> None:
        self._behind.close()
        self.server.proxy.note_open(self.connection, is_open=False)
        with suppress(OSError):
            super().finish()

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in CARRIED}
        request = Request(self.command, self.path, _titled(self.headers), body, time())
        fault = self.server.proxy.met_by(request)
        fault(_Turn(request, headers, self, self._behind, self.server.proxy.closing))

    def log_message(self, *args: object) -> None:
        """Nothing: what comes is kept."""


class _Turn:
    """See faults.Turn."""

    def __init__(
        self, request: Request, headers: dict[str, str], front: _Connection, behind: HTTPConnection, closing: Event
    ) -> None:
        self.request = request
        self._headers, self._front, self._behind, self._closing = headers, front, behind, closing

    def forward(self) -> Answer:
        try:
            answer = self._ask()
        except (HTTPException, ConnectionError):
            # The exchange closes what lies idle.
            self._behind.close()
            answer = self._ask()
        self.request.answer, self.request.executed = answer, True
        return answer

    def _ask(self) -> Answer:
        self._behind.request(self.request.verb, self.request.target, self.request.body or None, self._headers)
        came = self._behind.getresponse()
        kept = tuple((name, value) for name, value in came.getheaders() if name.lower() not in CARRIED)
        return Answer(came.status, came.read(), kept)

    def say(self, answer: Answer, *, length: int | None = None, sent: int | None = None) -> None:
        if answer.status:
            self._front.send_response_only(answer.status)
            for name, value in answer.headers:
                self._front.send_header(name, value)
            self._front.send_header("Content-Length", str(len(answer.body) if length is None else length))
            self._front.end_headers()
        self._front.wfile.write(answer.body[:sent])
        self._front.wfile.flush()
        self.request.answered = sent is None and length is None

    def hang_up(self, *, hard: bool = False) -> None:
        self._front.close_connection = True
        if hard:
            self._front.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._front.connection.close()
        else:
            _close(self._front.connection)

    def wait(self, seconds: float, until: Event | None = None) -> None:
        end = monotonic() + seconds
        while not self._closing.is_set() and (left := end - monotonic()) > 0:
            if (until or self._closing).wait(min(left, 0.05)):
                return


def _titled(headers: Message) -> dict[str, str]:
    """By the names that the protocol writes, however they came."""
    known = {"api-key": "API-Key", "api-sign": "API-Sign"}
    return {known.get(name.lower(), name.title()): value for name, value in headers.items()}


def _close(connected: socket.socket) -> None:
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)
    connected.close()
