"""Mail servers of our own on real sockets: one that takes mail, and one that accepts and then says nothing."""

import socket
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread


class Silent:
    """Accepts connections and says nothing until it is told to let go."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.called = Event()
        self._open: list[socket.socket] = []
        self._thread = Thread(target=self._accept)
        self._thread.start()

    def let_go(self) -> None:
        """End every connection, and accept none any more."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        while self._open:
            self._open.pop().close()

    def _accept(self) -> None:
        while True:
            try:
                found, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(found)
            self.called.set()


class _Talk(socketserver.StreamRequestHandler):
    server: "Taking"

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline():
            if line.upper().startswith(b"DATA"):
                self._say("354 go on")
                self._take()
            elif line.upper().startswith(b"QUIT"):
                self._say("221 bye")
                return
            else:
                self._say("250 yes")

    def _take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        self.server.taken.append(b"".join(lines).decode())
        self._say("250 taken")

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


class Taking(socketserver.ThreadingTCPServer):
    """Takes every mail and keeps it in `taken`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.port: int = self.server_address[1]
        self.taken: list[str] = []


@contextmanager
def taking() -> Iterator[Taking]:
    with Taking() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
