"""The page that a form or a link names to go on with, if it is one of this portal (security SI-12)."""

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url

from accounts.authentication.next_url import path_of_ours


def destination(request: HttpRequest) -> str:
    """The `next` of the query as a path with its query, or the inbox if it points anywhere else."""
    return path_here(request, request.GET.get("next", "")) or resolve_url(settings.LOGIN_REDIRECT_URL)


def path_here(request: HttpRequest, wanted: str) -> str:
    """`wanted` as a path of the portal that this request came to, or nothing if it points anywhere else."""
    return path_of_ours(wanted, host=request.get_host(), is_secure=request.is_secure())
