"""The headers that close what the pages do not use, on every response (security WB-1, WB-5, WB-6)."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

DIRECTIVES: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "object-src": "'none'",
    "frame-ancestors": "'none'",
}
CLOSED_FEATURES: Final = (
    "accelerometer",
    "browsing-topics",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "screen-wake-lock",
    "usb",
    "xr-spatial-tracking",
)
OWN_FEATURES: Final = ("publickey-credentials-create", "publickey-credentials-get")


def security_headers(hsts_seconds: int) -> dict[str, str]:
    """The headers of every response; `hsts_seconds` above zero adds HSTS for all subdomains (RFC 6797)."""
    headers = {
        "Content-Security-Policy": "; ".join(f"{name} {source}" for name, source in DIRECTIVES.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": ", ".join(
            [f"{feature}=()" for feature in CLOSED_FEATURES] + [f"{feature}=(self)" for feature in OWN_FEATURES]
        ),
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
    if hsts_seconds:
        headers["Strict-Transport-Security"] = f"max-age={hsts_seconds}; includeSubDomains; preload"
    return headers


SECURITY_HEADERS: Final = security_headers(settings.SECURE_HSTS_SECONDS)


class SecurityHeadersMiddleware:
    """Adds SECURITY_HEADERS, and keeps whatever is no file of ours out of every cache."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add the headers to the answer, whatever became of the request."""
        response = self.get_response(request)
        for name, value in SECURITY_HEADERS.items():
            # A page may be stricter, as the one with a secret is about its referrer; none may be laxer about content.
            if name == "Content-Security-Policy":
                response[name] = value
            else:
                response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        return response
