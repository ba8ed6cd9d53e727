"""The cookie in which a stranger keeps the challenge that a passkey is to answer."""

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

COOKIE: Final = "__Host-passkey" if settings.SECURE else "passkey"


def kept(request: HttpRequest) -> str:
    """The challenge that the browser brought along, signed; nothing without one."""
    return request.COOKIES.get(COOKIE, "")


def hand_out(response: HttpResponse, challenge: str) -> HttpResponse:
    """`response` with the challenge for the browser to keep, as long as it may be answered."""
    age = int(settings.PASSKEY_CHALLENGE.total_seconds())
    response.set_cookie(
        COOKIE, challenge, max_age=age, secure=settings.SECURE, httponly=True, samesite="Strict", path="/"
    )
    return response


def take_back(response: HttpResponse) -> HttpResponse:
    """`response` that has the browser forget it: it was handed in."""
    response.delete_cookie(COOKIE, samesite="Strict", path="/")
    return response
