"""A mail server of our own that begins TLS and asks who comes, on a real socket."""

import base64
import socketserver
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

USER, PASSWORD = "portal", "correct horse battery staple"


@dataclass
class Manners:
    """What it offers. `certificate` is a file with key and certificate: with one it begins TLS."""

    certificate: Path | None = None
    asks_who: bool = True
    takes: bool = True
    heard: list[str] = field(default_factory=list)


class _Talk(socketserver.BaseRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        self.wire = self.request
        self.lines = self.wire.makefile("rb")
        self._say("220 ready")
        while line := self.lines.readline().decode().strip():
            verb = line.split()[0].upper()
            self.server.manners.heard.append(verb)
            if verb == "QUIT":
                self._say("221 bye")
                return
            getattr(self, f"_{verb.lower()}", self._other)(line)

    def finish(self) -> None:
        """TLS has taken the socket over: it is ours to close."""
        self.lines.close()
        self.wire.close()

    def _ehlo(self, line: str) -> None:
        manners, is_sealed = self.server.manners, isinstance(self.wire, ssl.SSLSocket)
        self._say("250-mail.example.test")
        if manners.certificate and not is_sealed:
            self._say("250-STARTTLS")
        if manners.asks_who:
            self._say("250-AUTH PLAIN")
        self._say("250 SIZE")

    def _starttls(self, line: str) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        assert self.server.manners.certificate is not None
        context.load_cert_chain(self.server.manners.certificate)
        self._say("220 go on")
        self.lines.close()
        self.wire = context.wrap_socket(self.wire, server_side=True)
        self.lines = self.wire.makefile("rb")

    def _auth(self, line: str) -> None:
        given = base64.b64decode(line.rsplit(maxsplit=1)[-1]).decode()
        self._say("235 it is you" if given == f"\0{USER}\0{PASSWORD}" else f"535 nobody has {given.split(chr(0))[-1]}")

    def _rcpt(self, line: str) -> None:
        self._say("250 yes" if self.server.manners.takes else "550 nobody of that name")

    def _data(self, line: str) -> None:
        self._say("354 go on")
        while self.lines.readline() != b".\r\n":
            pass
        self._say("250 taken")

    def _other(self, line: str) -> None:
        self._say("250 yes")

    def _say(self, text: str) -> None:
        self.wire.sendall(text.encode() + b"\r\n")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, manners: Manners) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.manners = manners

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever does not trust it hangs up."""


@contextmanager
def serving(manners: Manners) -> Iterator[int]:
    """Its port."""
    with _Server(manners) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()
