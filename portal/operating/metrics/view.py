"""`/metrics`, answered in front of everything else, to whom the operator has named: by a token, by address, or by both.

Where neither is set there is nothing for anybody. Both set, both are asked. Nothing is logged, and no session is read.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from portal.core.observing import writing
from portal.core.web.proxies import source_address
from portal.core.web.security_headers import SECURITY_HEADERS
from portal.operating.metrics import access, exposition

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PATH: Final = "/metrics"
HEADERS: Final = {**SECURITY_HEADERS, "Cache-Control": "no-store"}
PLAIN: Final = "text/plain; charset=utf-8"
PHRASES: Final = {200: "OK", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed"}
Said = tuple[int, dict[str, str], bytes]


class MetricsMiddleware:
    """For whatever calls Django directly; a server has `measures` in front of it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer `/metrics`; let all else pass on."""
        said = _answer(request.META, request.path_info)
        if said is None:
            return self.get_response(request)
        status, headers, body = said
        answer = HttpResponse(body, status=status, headers=headers)
        answer._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
        return answer


def measures(application: "WSGIApplication") -> "WSGIApplication":
    """The WSGI application that answers it by itself and leaves the rest to `application`."""

    def answering(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        said = _answer(environ, environ.get("PATH_INFO", ""))
        if said is None:
            return application(environ, start_response)
        status, headers, body = said
        start_response(f"{status} {PHRASES[status]}", [*headers.items(), ("Content-Length", str(len(body)))])
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]

    return answering


def _answer(meta: Mapping[str, Any], path: str) -> Said | None:
    if path != PATH:
        return None
    source = source_address(meta.get("REMOTE_ADDR", ""), meta.get("HTTP_X_FORWARDED_FOR", ""))
    if not writing.is_served() or not access.is_from_there(source):
        return 404, {**HEADERS, "Content-Type": PLAIN}, b"Not found\n"
    if not access.is_authorized(meta.get("HTTP_AUTHORIZATION", "")):
        return 401, {**HEADERS, "Content-Type": PLAIN, "WWW-Authenticate": "Bearer"}, b""
    if meta.get("REQUEST_METHOD") not in ("GET", "HEAD"):
        return 405, {**HEADERS, "Content-Type": PLAIN, "Allow": "GET, HEAD"}, b""
    return 200, {**HEADERS, "Content-Type": CONTENT_TYPE_PLAIN_0_0_4}, exposition.text()
