"""Small servers of this machine that take what is posted to them, or that take it and never answer."""

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECONDS = 20.0


@dataclass
class Receiver:
    """Where it listens, and what came so far: path, headers and body, unpacked."""

    url: str
    posts: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)
    status: int = 200

    def wait_for(self, is_there) -> None:
        """Come back once what has come is enough."""
        with self.came:
            assert self.came.wait_for(lambda: is_there(self.posts), SECONDS), self.posts


@contextmanager
def receiving() -> Iterator[Receiver]:
    """One that takes whatever is posted."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            with found.came:
                found.posts.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                found.came.notify_all()
            self.send_response(found.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found = Receiver(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def black_hole() -> Iterator[str]:
    """One that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
