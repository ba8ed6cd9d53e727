"""Programs that miss the API: what would be a page for people is said in a way that the author of a bot can read.

A client with a wrong base URL otherwise gets a sign-in page, or a page that says *not found*, and prints nothing of it.
"""

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url

from portal.api.call import JSON_TYPE
from portal.api.protocol.envelope import Error, failure

# `/0`, `//0/private/Balance`: meant for the API, and not written in the one way that every proxy's rule sees.
NEARLY: Final = re.compile(r"/+0(/.*)?", re.DOTALL)
SOCKET_PATH: Final = "/v2"
NO_SOCKET: Final = b"There is no WebSocket here: connect to /v2. Calls over HTTP go to /0/public/ and /0/private/.\n"
NO_PAGE: Final = (
    b"Bots open a WebSocket here; a plain HTTP request opens none.\n"
    b"If yours did ask for one, it came to a server that takes none: the proxy must pass /v2 to the one that does.\n"
)
WORDS: Final = "text/plain; charset=utf-8"
HTML: Final = "text/html"
# What browsers say of themselves, and scripts of our own pages.
OF_A_BROWSER: Final = ("Sec-Fetch-Mode", "HX-Request", "Cookie")


def is_meant_for_the_api(path: str) -> bool:
    """Whether the path is nearly one of the API's, and answered by it: as one that does not exist."""
    return NEARLY.fullmatch(path) is not None


class StrayCallsMiddleware:
    """Answers programs outside `/0/` in the protocol's form, where people would be led to a page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer as Django would, unless a program asked and the answer is a page for people.

        `/v2` is for sockets, which never come this far: 426, as RFC 9110 §15.5.22 asks.
        """
        if request.path_info == SOCKET_PATH:
            to = {"Upgrade": "websocket", "Connection": "Upgrade"}
            return HttpResponse(NO_PAGE, status=HTTPStatus.UPGRADE_REQUIRED, content_type=WORDS, headers=to)
        response = self.get_response(request)
        wants_socket = request.headers.get("Upgrade", "").lower() == "websocket"
        if not (wants_socket or _is_program(request.headers)) or not _is_page_for_people(response):
            return response
        status = response.status_code if response.status_code >= HTTPStatus.BAD_REQUEST else HTTPStatus.NOT_FOUND
        if wants_socket:
            return HttpResponse(NO_SOCKET, status=status, content_type=WORDS)
        return HttpResponse(failure(Error.UNKNOWN_METHOD).body, status=status, content_type=JSON_TYPE)


def _is_program(headers: Mapping[str, str]) -> bool:
    """Whether it says that it takes anything, or no page at all, and nothing that browsers say."""
    if "API-Key" in headers:
        return True
    accepts = headers.get("Accept", "")
    return bool(accepts) and HTML not in accepts and not any(map(headers.get, OF_A_BROWSER))


def _is_page_for_people(response: HttpResponse) -> bool:
    """The sign-in page, or the page of an error of the one who called."""
    if response.status_code == HTTPStatus.FOUND:
        return response.headers.get("Location", "").startswith(resolve_url("accounts:sign_in"))
    is_error = HTTPStatus.BAD_REQUEST <= response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
    return is_error and response.headers.get("Content-Type", "").startswith(HTML)
