"""One's own sessions: ending them, staying in one, and coming back to a page whose session has ended."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.authentication import session_data, session_store
from accounts.views import session_changes
from policies.access import open_to_members
from portal.core.errors import NotFound
from portal.core.web.http import MemberRequest


@require_POST
@open_to_members("one's own sessions only")
def end(request: MemberRequest, handle: str) -> HttpResponse:
    """End one; it may be this one."""
    if request.session.get(session_data.HANDLE) == str(handle):
        session_changes.leave(request)
        return redirect("dashboard:home")
    try:
        session_store.end(handle, by=request.member)
    except NotFound as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "That session is over.")
    return redirect("accounts:security")


@require_POST
@open_to_members("one's own sessions only")
def end_others(request: MemberRequest) -> HttpResponse:
    """End all but this one."""
    ended = session_store.end_others(by=request.member, key=request.session.session_key)
    words = "There was no other session." if not ended else f"{ended} other session{'s' if ended > 1 else ''} ended."
    messages.success(request, words)
    return redirect("accounts:security")


@require_POST
@open_to_members("somebody at the keyboard stays")
def stay(request: MemberRequest) -> HttpResponse:
    """Activity without doing anything: how long the session lives from here, in seconds."""
    session_data.note_activity(request.session, at_once=True)
    return _left(request)


@require_safe
@login_not_required
def here(request: HttpRequest) -> HttpResponse:
    """Where the sign-in over a page ends up: it tells that page who is there now, and its new token."""
    response = render(request, "accounts/here.html")
    response["Cache-Control"] = "no-store"
    return response


@require_safe
@open_to_members("how long one's own session lives")
def left(request: MemberRequest) -> HttpResponse:
    """Seconds until the session ends; asking is no activity."""
    return _left(request)


def _left(request: MemberRequest) -> JsonResponse:
    return JsonResponse({"left": session_data.left(request.session, request.organization)})
