"""Who the request is from: its Member and Organization, while the session lives, and what they may do in it."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Final, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib import auth, messages
from django.contrib.auth.middleware import AuthenticationMiddleware as DjangoAuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject
from django_htmx.http import HttpResponseClientRedirect

from accounts import reader
from accounts.authentication import ended_sessions, session_data
from accounts.authentication.backend import at_hand
from accounts.authentication.next_url import path_of_ours
from accounts.authentication.session_store import SessionStore
from accounts.authentication.step_up import SessionStepUp
from accounts.factors.enrolled import accepted
from accounts.models import Member, User
from accounts.security import enrolment
from portal.core.database.one_reading import one_reading
from portal.core.database.postgresql import standby
from portal.core.web.http import SAFE, MemberRequest

# What a page asks for by itself, with nobody at the keyboard: how things stand, and, once its session has ended, the
# sign-in over it and who is there now.
POLLED: Final = frozenset(
    {
        "dashboard:read_only",
        "policies:inbox_count",
        "policies:replay_now",
        "accounts:session_left",
        "accounts:sign_in",
        "accounts:here",
        "treasury:withdrawals_now",
        "treasury:withdrawal_now",
        "treasury:withdrawal_stage",
    }
)
# What somebody may open who is still to enrol, or to show a factor that the Organization takes.
OPEN_BEFORE: Final = frozenset(
    {
        "accounts:enrol",
        "accounts:enrol_passkey",
        "accounts:enrol_passkey_options",
        "accounts:enrol_app",
        "accounts:prove",
        "accounts:passkey_challenge",
        "accounts:sign_out",
        "accounts:switch",
    }
)
# Notes activity itself: it has to ask first how long nobody was there.
JUDGED: Final = frozenset({"accounts:switch", "accounts:accept_more"})


class SessionMiddleware(DjangoSessionMiddleware):
    """Django's, but a session that was ended while its request was under way leads where every ended one does."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Django's; where the row of the session is gone, lead to the sign-in instead of failing.

        While the database takes no changes the session and its cookie stay as they are: a standby that lags may not
        know it yet.
        """
        if standby.is_read():
            patch_vary_headers(response, ["Cookie"])
            return response
        try:
            return super().process_response(request, response)
        except ended_sessions.ENDED_MEANWHILE:
            # The cookie stays: of two requests at once the first may have given the session a new key.
            return _sign_in_again(request)


class AuthenticationMiddleware(DjangoAuthenticationMiddleware):
    """Django's, but the person comes with the session, in one statement."""

    def process_request(self, request: HttpRequest) -> None:
        """Set `request.user`, which is looked for when somebody asks."""
        super().process_request(request)
        request.user = SimpleLazyObject(partial(_user, request))  # type: ignore[assignment]


class MemberMiddleware:
    """Sets `request.member`, `request.organization` and `request.step_up`; both are None for strangers.

    A session past its limits, or of somebody suspended or removed, ends here, in the store. Times are shown in the
    person's own zone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer in the Member's time zone, and note now and then that they were here."""
        ours = cast("MemberRequest", request)
        member = _member(request)
        if member is not None:
            ours.member, ours.organization = member, member.organization
            ours.step_up = SessionStepUp(request.session, member)
        else:
            ours.member = ours.organization = ours.step_up = None  # type: ignore[assignment]
        with timezone.override(_zone(member)), one_reading() if request.method in SAFE else nullcontext():
            response = self.get_response(request)
        agent = request.headers.get("User-Agent", "")
        if not standby.is_read() and session_data.note_agent(request.session, agent):
            Member.objects.filter(pk=request.session[session_data.MEMBER]).update(last_seen_at=timezone.now())
        return _as_a_lost_session_wants(ours, response)

    def process_view(
        self, request: MemberRequest, view: Callable[..., HttpResponse], args: object, kwargs: object
    ) -> None:
        """Polling is not activity: a page left open must not keep its session alive."""
        route = request.resolver_match
        is_activity = request.user.is_authenticated and route is not None and route.view_name not in POLLED | JUDGED
        if is_activity and not standby.is_read() and session_data.note_activity(request.session):
            Member.objects.filter(pk=request.member.pk).update(last_seen_at=timezone.now())
        if request.member is not None:
            request.session_left = session_data.left(request.session, request.organization)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A session that was ended while its request was under way leads where every ended one does."""
        return _sign_in_again(request) if isinstance(exception, ended_sessions.ENDED_MEANWHILE) else None


class EnrolmentMiddleware:
    """Leads who does not meet the Organization's level to what makes them meet it, and lets them do nothing else.

    What that is says `enrolment.way_out` (DESIGN O4, security F-12).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Nothing here: only at `process_view` is it known which page is asked for."""
        return self.get_response(request)

    def process_view(
        self, request: MemberRequest, view: Callable[..., HttpResponseBase], args: object, kwargs: object
    ) -> HttpResponseBase | None:
        """Where the level is not met, lead away from every page but those that help to meet it."""
        route = request.resolver_match
        is_public = not getattr(view, "login_required", True)
        if getattr(request, "member", None) is None or is_public or route is None or route.view_name in OPEN_BEFORE:
            return None
        # Once, however many look at it.
        request.reader = seen = reader.read(request.member, session_data.shown(request.session))
        if seen.counted & accepted(request.organization):
            return None
        target = resolve_url(enrolment.way_out(request.session, request.member))
        return HttpResponseClientRedirect(target) if request.htmx else redirect(target)


def _sign_in_again(request: HttpRequest) -> HttpResponse:
    """The browser names the page that sent the request in `Referer`; only a path of ours is used (security SI-12)."""
    page = request.headers.get("Referer", "")
    return ended_sessions.sign_in_again(
        path_of_ours(page, host=request.get_host(), is_secure=request.is_secure()),
        is_fragment=bool(request.headers.get("HX-Request")),
    )


def _user(request: HttpRequest) -> User | AnonymousUser:
    # Asked for anything, the session reads its row.
    member = _member_of_row(request) if auth.SESSION_KEY in request.session else None
    with at_hand(member.user if member else None):
        return auth.get_user(request)


def _member_of_row(request: HttpRequest) -> Member | None:
    row = cast("SessionStore", request.session).row
    return row.member if row is not None else None


def _member(request: HttpRequest) -> Member | None:
    if not request.user.is_authenticated:
        return None
    member = _member_of_row(request)
    if (
        member is None
        or (member.pk, member.user_id) != (request.session.get(session_data.MEMBER), request.user.pk)
        or not member.is_active
        or session_data.is_over(request.session, member.organization)
        or _is_left_over(request, member)
    ):
        auth.logout(request)
        return None
    return member


def _is_left_over(request: HttpRequest, member: Member) -> bool:
    """Whether the factors were reset after it began: a sign-in under way at that moment opens its session too late."""
    return session_data.began_before(request.session, member.factors_reset_at)


def _zone(member: Member | None) -> ZoneInfo:
    try:
        return ZoneInfo(member.user.time_zone if member else "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _as_a_lost_session_wants(request: MemberRequest, response: HttpResponseBase) -> HttpResponseBase:
    """A lost session takes the whole page to the sign-in, and does not put the sign-in into a part of it.

    What was posted after it ended was not taken. The address it went to is no page to come back to; the page that it
    was posted from is. A view for strangers that leads to the sign-in means just that.
    """
    sign_in, sign_out = resolve_url("accounts:sign_in"), resolve_url("accounts:sign_out")
    if response.status_code != 302 or response.headers.get("Location", "").partition("?")[0] != sign_in:
        return response
    is_lost = request.path != sign_out and not request.user.is_authenticated and _is_for_members(request)
    if is_lost and request.method not in SAFE:
        messages.warning(request, "Your session had ended.\nWhat you sent was not taken. Sign in and do it again.")
        return _sign_in_again(request)
    if request.htmx:
        response = HttpResponseClientRedirect(sign_in)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _is_for_members(request: HttpRequest) -> bool:
    route = request.resolver_match
    return route is not None and getattr(route.func, "login_required", True)
