"""The two doors of the bots' API: each turns a request under `/0/` into a Call, and sends the bytes of its answer.

`bot_api` stands in front of Django, whose request handler alone would cost a third of a call; `ApiKeyMiddleware` is
the same for whatever calls Django directly. Nothing else of the stack runs: no session, no cookie, no redirect.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from portal.api import gateway, straight_path
from portal.api.call import JSON_TYPE, Call, Reply, Tried
from portal.api.meters import called
from portal.api.misdirected_calls import is_meant_for_the_api
from portal.api.request_bodies import Stream, body_of
from portal.core import call_origin
from portal.core.database.at_hand import tidy
from portal.core.web.door.environ import RAW_PATH
from portal.core.web.proxies import is_secure, source_address
from portal.core.web.security_headers import SECURITY_HEADERS

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

HEADERS: Final = {**SECURITY_HEADERS, "Cache-Control": "no-store"}
OF_JSON: Final = (*HEADERS.items(), ("Content-Type", JSON_TYPE))
# A header's name and its value.
Header: TypeAlias = tuple[str, str]


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
        body, said = answered(request.META, request, path=path, scheme=request.scheme or "")
        return HttpResponse(body, headers=dict(said))


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
            if not path.isascii():
                path = path.encode("latin-1").decode(errors="replace")
            if "%" in environ.get(RAW_PATH, ""):
                # One way to write a path, so that a proxy's rule about `/0/` sees every call.
                path = gateway.PREFIX
            body, said = answered(environ, environ["wsgi.input"], path=path, scheme=environ["wsgi.url_scheme"])
        finally:
            tidy()
        start_response("200 OK", [*said, ("Content-Length", str(len(body)))])
        return [body]

    return answering


def answered(meta: Mapping[str, Any], stream: Stream, *, path: str, scheme: str) -> tuple[bytes, Sequence[Header]]:
    """The answer and its headers, one of which is the number that finds the call in the log and the history."""
    began = perf_counter()
    tried = straight_path.answer(meta, stream, path=path, scheme=scheme)
    if isinstance(tried, Reply):
        called(path, "", perf_counter() - began)
        return tried.body, (*OF_JSON, (call_origin.REQUEST_ID, call_origin.new_request_id()))
    call = read_call(meta, stream, path=path, scheme=scheme, tried=tried)
    with call_origin.origin(source=call.source, actor=call_origin.BOT, doing=path) as origin:
        reply = gateway.answer(call)
        called(path, reply.error, perf_counter() - began)
        return reply.body, (*headers(reply).items(), (call_origin.REQUEST_ID, origin.request_id))


def headers(reply: Reply) -> dict[str, str]:
    """What stands above an answer. A file is to be kept, not shown (security IN-4)."""
    kept = {"Content-Disposition": f'attachment; filename="{reply.file_name}"'} if reply.file_name else {}
    return {**HEADERS, "Content-Type": reply.media_type, **kept}


def read_call(meta: Mapping[str, Any], stream: Stream, *, path: str, scheme: str, tried: Tried | None = None) -> Call:
    """The Call in a request's WSGI variables; its body is read only if it is needed and not too long."""
    peer = meta.get("REMOTE_ADDR", "")
    verb = meta.get("REQUEST_METHOD", "")
    body = b"" if verb != "POST" else body_of(meta, stream) if tried is None else tried.body
    return Call(
        verb=verb,
        path=path,
        query=meta.get("QUERY_STRING", ""),
        body=body,
        media_type=meta.get("CONTENT_TYPE", "").partition(";")[0].strip().lower(),
        key=meta.get("HTTP_API_KEY", ""),
        signature=meta.get("HTTP_API_SIGN", ""),
        source=source_address(peer, meta.get("HTTP_X_FORWARDED_FOR", "")),
        is_secure=settings.DEBUG or is_secure(scheme, peer, meta.get("HTTP_X_FORWARDED_PROTO", "")),
        has_other_nonce="HTTP_API_NONCE" in meta,
        tried=tried if tried is not None and tried.credential is not None else None,
    )
