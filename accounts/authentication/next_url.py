"""Where to go after signing in: only ever a path of this portal (security SI-12)."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme


def destination(request: HttpRequest) -> str:
    """The `next` of the query as a path with its query, or the inbox if it points anywhere else."""
    return path_of_ours(request, request.GET.get("next", "")) or resolve_url(settings.LOGIN_REDIRECT_URL)


def path_of_ours(request: HttpRequest, wanted: str) -> str:
    """`wanted` as a path of this portal with its query, or nothing if it points anywhere else."""
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        parts = urlsplit(wanted)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        # Asked again of what is left: a path that begins with two slashes would be a host.
        if path.startswith("/") and url_has_allowed_host_and_scheme(path, set()):
            return path
    return ""
