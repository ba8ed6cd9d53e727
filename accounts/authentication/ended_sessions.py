"""Where whoever finds their session ended is led: to the sign-in, and from there back to the page they were on."""

from urllib.parse import quote

from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.http import HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect

# What saving or renaming a session says that was ended while its request was under way.
ENDED_MEANWHILE = (SessionInterrupted, UpdateError)


def sign_in_again(page: str, *, is_fragment: bool) -> HttpResponse:
    """To the sign-in as a whole page, also from a part of one, and back to `page`, a path of this portal or nothing."""
    target = resolve_url("accounts:sign_in") + (f"?next={quote(page)}" if _is_page(page) else "")
    response: HttpResponse = HttpResponseClientRedirect(target) if is_fragment else redirect(target)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _is_page(path: str) -> bool:
    return bool(path) and not path.startswith(resolve_url("accounts:sign_in"))
