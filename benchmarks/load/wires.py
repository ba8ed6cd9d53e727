"""Connections to a server: kept, one request under way in each, and as many of them at each of its processes."""

import re
import socket
import time
from collections.abc import Collection, Sequence
from typing import Final

from benchmarks.load import takers
from benchmarks.load.signing import Requests

LENGTH: Final = re.compile(rb"\r\ncontent-length: *([0-9]{1,9})\r\n", re.IGNORECASE)
READ: Final = 65536
ANSWERED_WITHIN: Final = 30.0
# So many connections are opened beyond those needed, to have as many at each process.
MOST_ASIDE: Final = 64


class BadAnswer(Exception):
    """What came back is not what was asked for: whatever was timed counts for nothing."""


class Wire:
    """One connection and what is sent over it. Requests are made by `prepare`, before time is taken."""

    __slots__ = ("_buffer", "_ready", "late", "requests", "sent_at", "socket")

    def __init__(self, connected: socket.socket, requests: Requests) -> None:
        self.socket, self.requests = connected, requests
        self.sent_at = 0
        # How many requests had to be made while time was taken.
        self.late = 0
        self._buffer = b""
        self._ready: list[bytes] = []

    def prepare(self, number: int) -> None:
        """Make so many requests; those left from before are thrown away."""
        self._ready = [self.requests() for _ in range(number)]
        self._ready.reverse()

    def send(self) -> None:
        """Send the next request."""
        if self._ready:
            request = self._ready.pop()
        else:
            self.late += 1
            request = self.requests()
        self.sent_at = time.perf_counter_ns()
        self.socket.sendall(request)

    def receive(self) -> bytes | None:
        """Read what is there; the body of the answer once it is whole. Raises: BadAnswer."""
        got = self.socket.recv(READ)
        if not got:
            raise BadAnswer("The server hung up.")
        self._buffer = self._buffer + got if self._buffer else got
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return None
        if not self._buffer.startswith(b"HTTP/1.1 200"):
            raise BadAnswer(self._buffer[:300].decode(errors="replace"))
        length = LENGTH.search(self._buffer, 0, head + 2)
        if length is None:
            raise BadAnswer("The answer does not say how long it is.")
        end = head + 4 + int(length[1])
        if len(self._buffer) < end:
            return None
        body, self._buffer = self._buffer[head + 4 : end], self._buffer[end:]
        if self._buffer:
            raise BadAnswer("More came back than was asked for.")
        return body

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


def connect(port: int, requests: Sequence[Requests], processes: Collection[int] = ()) -> list[Wire]:
    """A connection for each of `requests`, as many at each of the server's processes.

    Which of them takes a connection is chance; uneven, one would idle while another is asked for all it can do. Where
    the system does not say who took it, connections are as they come.
    """
    kept: list[socket.socket] = []
    aside: list[socket.socket] = []
    room = dict.fromkeys(processes, -(-len(requests) // len(processes))) if processes else {}
    while len(kept) < len(requests):
        connected = _connected(port)
        taker = takers.process_of(connected, processes)
        if taker is None or room[taker] > 0 or len(aside) >= MOST_ASIDE:
            kept.append(connected)
            if taker is not None:
                room[taker] -= 1
        else:
            aside.append(connected)
    for connected in aside:
        connected.close()
    return [Wire(connected, each) for connected, each in zip(kept, requests, strict=True)]


def _connected(port: int) -> socket.socket:
    connected = socket.create_connection(("127.0.0.1", port), ANSWERED_WITHIN)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected
