"""Requests of the load generator, handed to a WSGI application in this very thread."""

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

from benchmarks.load.signing import Requests
from benchmarks.load.wires import BadAnswer

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment


def ask(application: "WSGIApplication", requests: Requests) -> bytes:
    """The body of its answer to the next request. Raises: BadAnswer if it has another status than 200."""
    environ = environ_of(requests())
    return called(application, environ)


def called(application: "WSGIApplication", environ: "WSGIEnvironment") -> bytes:
    """The body of the answer. Raises: BadAnswer if it has another status than 200."""
    said: list[str] = []
    pieces: Iterable[bytes] = application(environ, lambda status, *_: said.append(status))  # type: ignore[arg-type]
    try:
        body = b"".join(pieces)
    finally:
        if hasattr(pieces, "close"):
            pieces.close()
    if not said[0].startswith("200"):
        raise BadAnswer(f"{said[0]}: {body[:200]!r}")
    return body


def environ_of(request: bytes) -> "WSGIEnvironment":
    """The variables in which a server would hand over these bytes."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    verb, path, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": verb,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "CONTENT_LENGTH": headers.pop("Content-Length", ""),
        "CONTENT_TYPE": headers.pop("Content-Type", ""),
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
    }
    return environ | {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
