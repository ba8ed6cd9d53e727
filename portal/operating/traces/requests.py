"""A call of a bot, or the request of a page, from the door to its answer: where a trace begins."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

import msgspec

from portal.api import methods
from portal.api.authentication import known_method
from portal.api.gateway import PREFIX, PRIVATE, PUBLIC
from portal.core.call_origin import REQUEST_ID
from portal.core.observing import spans
from portal.core.web.proxies import ROUTE, is_listed
from portal.dashboard.views.health import PROBES

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# An answer of the protocol without an error.
FINE: Final = b'{"error":[]'
UNKNOWN: Final = "unknown"
# Asked every few seconds, and by programs that take measures: no call of anybody.
WATCHED: Final = frozenset({*PROBES, "/metrics"})


class _Envelope(msgspec.Struct):
    error: list[str]


def traced(application: "WSGIApplication") -> "WSGIApplication":
    """`application`, of whose requests a share is traced; files and what watches over the portal are not."""

    def answering(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path in WATCHED or path.startswith("/static/"):
            return application(environ, start_response)
        parent = environ.get("HTTP_TRACEPARENT", "")
        if parent and not is_listed(environ.get("REMOTE_ADDR", "")):
            # A stranger's word about what is to be traced.
            parent = ""
        with spans.root("request", parent=parent, is_shared=True) as span:
            if span is spans.NOTHING:
                return application(environ, start_response)
            return _answered(application, environ, start_response, span)

    return answering


def _answered(
    application: "WSGIApplication", environ: "WSGIEnvironment", start_response: "StartResponse", span: spans.Span
) -> list[bytes]:
    status, number = "", ""

    def start(said: str, headers: list[tuple[str, str]], *more: object) -> Callable[[bytes], object]:
        nonlocal status, number
        status, number = said, next((value for name, value in headers if name == REQUEST_ID), "")
        return start_response(said, headers, *more)  # type: ignore[arg-type]

    pieces = application(environ, start)
    try:
        body = b"".join(pieces)
    finally:
        if hasattr(pieces, "close"):
            pieces.close()
    path = environ.get("PATH_INFO", "")
    about: dict[str, str | int] = {"http.response.status_code": int(status[:3]), "countersign.request_id": number}
    if path.startswith(PREFIX):
        _note_call(span, path, body, about)
    else:
        verb, _, route = environ.get(ROUTE, "").partition(" ")
        span.note({**about, "http.request.method": verb, "http.route": route}, name=f"page {route or UNKNOWN}")
    return [body]


def _note_call(span: spans.Span, path: str, body: bytes, about: dict[str, str | int]) -> None:
    public = path.removeprefix(PUBLIC)
    method = known_method(path.removeprefix(PRIVATE)) or (public if public in methods.PUBLIC else UNKNOWN)
    error = "" if body.startswith(FINE) or not body.startswith(b'{"error":') else _error(body)
    said = {**about, "countersign.method": method} | ({"countersign.error": error} if error else {})
    span.note(said, name=f"call {method}")


def _error(body: bytes) -> str:
    try:
        found = msgspec.json.decode(body, type=_Envelope).error
    except msgspec.DecodeError:
        return ""
    return found[0][:80] if found else ""
