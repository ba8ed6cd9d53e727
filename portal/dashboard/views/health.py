"""For whoever keeps the portal running: is it alive, and can it serve? Asked by machines, under any name or none.

Answered in front of everything else: no host is checked, no session or cookie read, nothing is logged.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from portal.api.limits import lockout
from portal.core.web.security_headers import SECURITY_HEADERS
from portal.dashboard import readiness, seen

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

HEADERS: Final = {**SECURITY_HEADERS, "Cache-Control": "no-store"}
PLAIN: Final = "text/plain; charset=utf-8"
PHRASES: Final = {200: "OK", 405: "Method Not Allowed", 503: "Service Unavailable"}
Said = tuple[int, str, str]


def healthz(meta: Mapping[str, Any]) -> Said:
    """The process answers. Nothing else is asked, so that a slow database does not get it killed."""
    return 200, PLAIN, "ok"


def readyz(meta: Mapping[str, Any]) -> Said:
    """200 if it can serve, else 503; the body says in words what is wrong, also where that stops nothing.

    Who asks with the installation's secret key is told how the request looked (`seen`).
    """
    found = readiness.now()
    return _said(found, meta, is_ready=found.is_ready)


def pages_readyz(meta: Mapping[str, Any]) -> Said:
    """The same for a balancer that also leads people here: 200 while pages can be read, if nothing more."""
    found = readiness.now()
    return _said(found, meta, is_ready=found.shows_pages)


def _said(found: readiness.Readiness, meta: Mapping[str, Any], *, is_ready: bool) -> Said:
    told = seen.told(meta)
    said = {
        "ready": is_ready,
        "degraded": found.degraded,
        **found.words,
        "late": list(found.late),
        "flood_limit": lockout.place_now().name,
        "version": settings.VERSION,
        **({"migrated_by": found.migrated_by} if found.migrated_by else {}),
        **({"seen": told} if told else {}),
    }
    return 200 if is_ready else 503, "application/json", json.dumps(said)


PROBES: Final[dict[str, Callable[[Mapping[str, Any]], Said]]] = {
    "/healthz": healthz,
    "/readyz": readyz,
    "/readyz/pages": pages_readyz,
}


class ProbesMiddleware:
    """First but for the bots' door: for whatever calls Django directly."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the probes; let all else pass on."""
        if request.path_info not in PROBES:
            return self.get_response(request)
        status, media_type, text = _answer(request.path_info, request.method or "", request.META)
        answer = HttpResponse(text, status=status, content_type=media_type, headers=_headers(status))
        # A probe comes every few seconds: Django writes no line for those that are told to come back.
        answer._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
        return answer


def probes(application: "WSGIApplication") -> "WSGIApplication":
    """The WSGI application that answers them by itself and leaves the rest to `application`."""

    def answering(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path, verb = environ.get("PATH_INFO", ""), environ.get("REQUEST_METHOD", "")
        if path not in PROBES:
            return application(environ, start_response)
        status, media_type, text = _answer(path, verb, environ)
        body = text.encode()
        headers = {**_headers(status), "Content-Type": media_type, "Content-Length": str(len(body))}
        start_response(f"{status} {PHRASES[status]}", list(headers.items()))
        return [] if verb == "HEAD" else [body]

    return answering


def _answer(path: str, verb: str, meta: Mapping[str, Any]) -> Said:
    if verb not in ("GET", "HEAD"):
        return 405, PLAIN, ""
    return PROBES[path](meta)


def _headers(status: int) -> dict[str, str]:
    more = {"Allow": "GET, HEAD"} if status == 405 else {"Retry-After": "5"} if status == 503 else {}
    return {**HEADERS, **more}
