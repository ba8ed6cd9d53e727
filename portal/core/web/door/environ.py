"""A request as ASGI gives it, in the variables of WSGI (PEP 3333)."""

import io
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

# The two that WSGI calls by names of their own.
PLAIN: Final = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}
RAW_PATH: Final = "portal.raw_path"
# No header that anything reads has a longer name.
LONGEST_KEPT: Final = 64


def environ_of(scope: Mapping[str, Any]) -> "WSGIEnvironment":
    """The variables of one request, whose body comes later.

    A header with an underscore in its name is left out: WSGI could not tell `X_Forwarded_For` from the
    `X-Forwarded-For` of a proxy (security WB-10). So is all that this machine's own environment holds.
    """
    host, port = scope.get("server") or ("localhost", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode(errors="surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": str(host),
        "SERVER_PORT": str(port or 0),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": (scope.get("client") or ("",))[0],
        RAW_PATH: (scope.get("raw_path") or b"").decode("latin-1"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    _add_headers(environ, scope["headers"])
    return environ


def add_body(environ: "WSGIEnvironment", body: bytes, *, claimed: int = 0) -> None:
    """The body is here as a whole; `claimed` is how long it says it is, if it was not read."""
    environ["wsgi.input"] = io.BytesIO(body)
    # However it was sent, this is how long it is.
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    if body or claimed or "CONTENT_LENGTH" in environ:
        environ["CONTENT_LENGTH"] = str(claimed or len(body))


def _add_headers(environ: "WSGIEnvironment", given: Iterable[tuple[bytes, bytes]]) -> None:
    for name, value in given:
        # What strangers make up is long or never the same: the memory is for what callers send again and again.
        variable = _variable(name) if len(name) <= LONGEST_KEPT else _variable.__wrapped__(name)
        if not variable:
            continue
        text = value.decode("latin-1")
        if variable in environ:
            # RFC 9110 §5.3, and RFC 9113 §8.2.3 for the one header whose values are not joined by a comma.
            text = f"{environ[variable]}{'; ' if variable == 'HTTP_COOKIE' else ','}{text}"
        environ[variable] = text


@lru_cache(maxsize=1024)
def _variable(name: bytes) -> str:
    """What WSGI calls a header; nothing if it could be taken for another one. Callers send few, again and again."""
    if b"_" in name:
        return ""
    lower = name.lower()
    return PLAIN.get(lower) or "HTTP_" + lower.decode("latin-1").upper().replace("-", "_")
