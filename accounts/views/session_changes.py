"""Opening a session, ending it and going on in it as somebody else, as far as Django asks for the request itself.

What the session then holds is decided below. Here Django is told whose it is, which gives it a new key (security SI-1,
SI-3), and the token of the forms changes (WB-3).
"""

from typing import Final

from django.contrib import auth
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.middleware.csrf import rotate_token

from accounts.authentication import password_step, session_data
from accounts.authentication.second_factor_step import Admitted
from accounts.factors.enrolled import kind_of, mark_of
from accounts.models import Member, RecoveryCode, User
from accounts.security import enrolment
from accounts.security.enrolment import Enrolled
from portal.core.web.http import MemberRequest

BACKEND: Final = "accounts.authentication.backend.Backend"


def await_factor(request: HttpRequest, user: User) -> None:
    """Only the second factor of `user` is missing now; whoever was here before is not any more."""
    password_step.begin(request.session, user)
    request.user = AnonymousUser()


def await_first_factor(request: HttpRequest, member: Member, *, then: str = "") -> None:
    """The same of somebody who has none yet, and enrols it in this browser; `then` is a path of ours for afterwards.

    Raises: Conflict if they hold a factor.
    """
    enrolment.begin(request.session, member, then=then)
    request.user = AnonymousUser()


def open_session(request: HttpRequest, admitted: Admitted) -> None:
    """A new session, under a new key, of a Member who has just shown a factor, or a recovery code."""
    # Emptied first: `login` alone keeps what the pending session held, and keeps the key of one who is signed in.
    request.session.flush()
    member, shown = admitted.member, admitted.shown
    user = member.user
    if not isinstance(shown, RecoveryCode):
        user.otp_device = shown  # type: ignore[attr-defined]
    auth.login(request, user, backend=BACKEND)
    session_data.start(request.session, member, factor=kind_of(shown), mark=mark_of(shown))


def go_on(request: HttpRequest, enrolled: Enrolled) -> None:
    """After a factor was enrolled: open the session that it opens, if the one there is does not go on."""
    if enrolled.admits is None:
        return
    open_session(request, enrolled.admits)
    if enrolled.then:
        request.session[enrolment.THEN] = enrolled.then


def leave(request: MemberRequest) -> None:
    """End the session, in the store and for this request."""
    password_step.sign_out(request.session, request.member)
    auth.logout(request)


def leave_here(request: MemberRequest) -> None:
    """Go on as nobody in this request, where the store takes no changes: the session stays in it until its time."""
    request.user = AnonymousUser()
    request.member = request.organization = request.step_up = None  # type: ignore[assignment]


def switch(request: MemberRequest, member: Member) -> None:
    """Go on in the same session, under a new key, as another membership of the same person.

    A page that is still open at the one before sends nothing to this one: its token is of before.

    Raises: Ended if the session cannot go on there; it is ended then.
    """
    try:
        password_step.switch(request.session, member)
    except password_step.Ended:
        auth.logout(request)
        raise
    rotate_token(request)
