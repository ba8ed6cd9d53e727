"""Headers that cost more to read than they are worth are turned away before anything reads them (security IN-1).

Below 3.11.10 and 3.12.6 Python takes quadratic time for a quoted cookie full of backslashes (CVE-2024-7592): one of
60 kB held a core for seconds. A cookie of ours holds none, so the portal looks after itself, whichever Python runs it.
"""

import sys
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Final

from django.template.loader import render_to_string

from portal.core.web.security_headers import SECURITY_HEADERS

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

COOKIES: Final = 4096
BACKSLASHES: Final = 32
# What Python or Django takes apart, by the longest that a browser has reason to send.
LONGEST: Final = {
    "CONTENT_TYPE": 512,
    "HTTP_ACCEPT": 1024,
    "HTTP_ACCEPT_ENCODING": 512,
    "HTTP_ACCEPT_LANGUAGE": 512,
    "HTTP_HOST": 300,
    "HTTP_IF_MATCH": 1024,
    "HTTP_IF_MODIFIED_SINCE": 64,
    "HTTP_IF_NONE_MATCH": 1024,
    "HTTP_IF_UNMODIFIED_SINCE": 64,
    "HTTP_RANGE": 256,
    "HTTP_X_FORWARDED_FOR": 2048,
}
LONGEST_OTHER: Final = 8192

TOO_LONG: Final = "Your browser sent a header that is longer than this portal reads. Reload the page, and try again."
COOKIES_REFUSED: Final = (
    "Your browser sent more cookies than this portal reads, or one that it does not. "
    "Delete the cookies of this site in your browser, and try again."
)


def bounded(application: "WSGIApplication") -> "WSGIApplication":
    """`application`, which a request whose headers are out of bounds never reaches: it is answered 400, by a page."""

    def answering(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        words = wrong_with(environ)
        if not words:
            return application(environ, start_response)
        page = _page(words)
        headers = {
            **SECURITY_HEADERS,
            "Cache-Control": "no-store",
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": str(len(page)),
        }
        start_response("400 Bad Request", list(headers.items()))
        return [page]

    return answering


@cache
def _page(words: str) -> bytes:
    # Made once, and without the request: nothing that it sent is read.
    return render_to_string("400.html", {"message": words}).encode()


def wrong_with(environ: "WSGIEnvironment") -> str:
    """What is wrong with the headers, for whoever sent them; empty if nothing is."""
    cookies = environ.get("HTTP_COOKIE", "")
    if len(cookies) > COOKIES or cookies.count("\\") > BACKSLASHES:
        return COOKIES_REFUSED
    for name, value in environ.items():
        is_header = name in LONGEST or name.startswith("HTTP_")
        if is_header and len(value) > LONGEST.get(name, LONGEST_OTHER):
            return TOO_LONG
    return ""


def has_slow_cookies(version: tuple[int, ...] = sys.version_info[:3]) -> bool:
    """Whether this Python reads cookies in quadratic time (CVE-2024-7592)."""
    return version < (3, 11, 10) or (3, 12) <= version < (3, 12, 6)
