"""Where whoever finds their session ended is led: to the sign-in, and from there back to the page they were on."""

from urllib.parse import quote

from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect

from accounts.authentication.next_url import path_of_ours

# What saving or renaming a session says that was ended while its request was under way.
ENDED_MEANWHILE = (SessionInterrupted, UpdateError)


def sign_in_again(request: HttpRequest) -> HttpResponse:
    """To the sign-in as a whole page, also from a part of one, and back to the page that sent the request.

    The browser names that page in `Referer`; of it a path of this portal is used and nothing else (security SI-12).
    """
    page = path_of_ours(request, request.headers.get("Referer", ""))
    target = resolve_url("accounts:sign_in") + (f"?next={quote(page)}" if _is_page(page) else "")
    is_fragment = bool(request.headers.get("HX-Request"))
    response: HttpResponse = HttpResponseClientRedirect(target) if is_fragment else redirect(target)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _is_page(path: str) -> bool:
    return bool(path) and not path.startswith(resolve_url("accounts:sign_in"))
