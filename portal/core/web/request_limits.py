"""How much a page reads of what is sent to it (security IN-1)."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string

TOO_LARGE = "This is more than a form here can hold. Go back and shorten it."
NO_ADDRESS = "This is no address of this portal. Check the link, or start from the first page."


class BodyLimitMiddleware:
    """Answers 413 to a body that says it is too large, before anything reads it, and 400 to an address with a NUL.

    PostgreSQL takes no NUL in a text, so looking for one would fail where nothing expects it. In forms Django refuses
    it beside the field.

    Django counts the fields of a form only, not the files in it; a stranger could fill the disk with those. A body
    of unsaid length is not read at all: WSGI gives what `CONTENT_LENGTH` says and no more.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Refuse by the headers and the address alone, without reading on."""
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length[:20]) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return _page(413, TOO_LARGE)
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return _page(400, NO_ADDRESS)
        return self.get_response(request)


def _page(status: int, message: str) -> HttpResponse:
    """Rendered without the request: its session is not known yet, and what it sent is not to be read."""
    return HttpResponse(render_to_string("400.html", {"message": message}), status=status)
