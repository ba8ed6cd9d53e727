"""The two doors of the bots' API: each turns a request under `/0/` into a Call, and sends the bytes of its answer.

`bot_api` stands in front of Django, whose request handler alone would cost a third of a call; `ApiKeyMiddleware` is
the same for whatever calls Django directly. Nothing else of the stack runs: no session, no cookie, no redirect.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from portal.api import gateway
from portal.api.call import Call, Reply
from portal.api.misdirected_calls import is_meant_for_the_api
from portal.core import call_origin
from portal.core.database.at_hand import tidy
from portal.core.web.door.environ import RAW_PATH
from portal.core.web.proxies import is_secure, source_address
from portal.core.web.security_headers import SECURITY_HEADERS

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

HEADERS: Final = {**SECURITY_HEADERS, "Cache-Control": "no-store"}
LENGTH: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


class Stream(Protocol):
    def read(self, size: int, /) -> bytes:
        """At most `size` bytes of the body; none at its end."""


class ApiKeyMiddleware:
    """First in MIDDLEWARE: answers everything under `/0/` itself (security AP-13)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer calls of the API, and paths nearly its own as unknown methods; let all else pass on."""
        path = request.path_info
        if not path.startswith(gateway.PREFIX):
            if not is_meant_for_the_api(path):
                return self.get_response(request)
            path = gateway.PREFIX
        call = read_call(request.META, request, path=path, scheme=request.scheme or "")
        reply, said = answered(call)
        return HttpResponse(reply.body, headers=said)


def bot_api(application: "WSGIApplication") -> "WSGIApplication":
    """The WSGI application that answers `/0/` and leaves the rest to `application`."""

    def answering(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not path.startswith(gateway.PREFIX):
            if not is_meant_for_the_api(path):
                return application(environ, start_response)
            path = gateway.PREFIX
        tidy()
        try:
            # WSGI hands bytes over as latin-1.
            path = path.encode("latin-1").decode(errors="replace")
            if "%" in environ.get(RAW_PATH, ""):
                # One way to write a path, so that a proxy's rule about `/0/` sees every call.
                path = gateway.PREFIX
            call = read_call(environ, environ["wsgi.input"], path=path, scheme=environ["wsgi.url_scheme"])
            reply, said = answered(call)
        finally:
            tidy()
        start_response("200 OK", [*said.items(), ("Content-Length", str(len(reply.body)))])
        return [reply.body]

    return answering


def answered(call: Call) -> tuple[Reply, dict[str, str]]:
    """The answer and its headers, one of which is the number that finds the call in the log and the history."""
    with call_origin.origin(source=call.source) as origin:
        reply = gateway.answer(call)
        return reply, {**headers(reply), call_origin.REQUEST_ID: origin.request_id}


def headers(reply: Reply) -> dict[str, str]:
    """What stands above an answer. A file is to be kept, not shown (security IN-4)."""
    kept = {"Content-Disposition": f'attachment; filename="{reply.file_name}"'} if reply.file_name else {}
    return {**HEADERS, "Content-Type": reply.media_type, **kept}


def read_call(meta: Mapping[str, Any], stream: Stream, *, path: str, scheme: str) -> Call:
    """The Call in a request's WSGI variables; its body is read only if it is needed and not too long."""
    peer = meta.get("REMOTE_ADDR", "")
    verb = meta.get("REQUEST_METHOD", "")
    return Call(
        verb=verb,
        path=path,
        query=meta.get("QUERY_STRING", ""),
        body=_body(meta, stream) if verb == "POST" else b"",
        media_type=meta.get("CONTENT_TYPE", "").partition(";")[0].strip().lower(),
        key=meta.get("HTTP_API_KEY", ""),
        signature=meta.get("HTTP_API_SIGN", ""),
        source=source_address(peer, meta.get("HTTP_X_FORWARDED_FOR", "")),
        is_secure=settings.DEBUG or is_secure(scheme, peer, meta.get("HTTP_X_FORWARDED_PROTO", "")),
        has_other_nonce="HTTP_API_NONCE" in meta,
    )


def _body(meta: Mapping[str, Any], stream: Stream) -> bytes | None:
    """The exact bytes sent; None if they are more than the limit, or not as many as announced."""
    announced = meta.get("CONTENT_LENGTH") or ""
    if announced:
        length = int(announced) if LENGTH.fullmatch(announced) else settings.API_BODY_LIMIT + 1
        if length > settings.API_BODY_LIMIT:
            return None
        body = _read(stream, length)
        return body if len(body) == length else None
    if "HTTP_TRANSFER_ENCODING" not in meta:
        return b""
    if not meta.get("wsgi.input_terminated"):
        return None  # this server would not tell where the body ends
    body = _read(stream, settings.API_BODY_LIMIT + 1)
    return body if len(body) <= settings.API_BODY_LIMIT else None


def _read(stream: Stream, size: int) -> bytes:
    """Up to `size` bytes; a stream may hand them over in pieces."""
    pieces: list[bytes] = []
    while size > 0 and (piece := stream.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
