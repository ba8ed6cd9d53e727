"""Signing in and out, and changing between Organizations."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.authentication import password_step as stages
from accounts.authentication import second_factor_step, session_data
from accounts.authentication.second_factor_step import Admitted
from accounts.factors import webauthn
from accounts.factors.enrolled import can_sign_in, held, held_anywhere
from accounts.forms.authentication.sign_in import CodeForm, PasswordForm
from accounts.forms.security.factors import PasskeySignInForm, RecoveryCodeForm
from accounts.models import Member
from accounts.security import password_change
from accounts.views import session_changes
from accounts.views.authentication import stranger_challenge
from accounts.views.next_page import destination, path_here
from policies.access import open_to_members
from portal.core import call_origin
from portal.core.database.postgresql import standby
from portal.core.errors import Invalid
from portal.core.factors import PASSKEY, TOTP
from portal.core.forms import Form
from portal.core.web.http import MemberRequest

NOTHING_THERE: Final = (
    "No second factor of yours counts in {}.\nOpen the link that was sent to your own address, and enrol one there."
)


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Step 1: the password. It opens nothing but step 2."""
    if request.user.is_authenticated:
        return redirect(destination(request))
    form = PasswordForm(request.POST or None)
    if form.is_valid():
        try:
            user = stages.check_password(form.cleaned_data["email"], form.cleaned_data["password"])
        except Invalid as error:
            form.refuse(error)
        else:
            if not can_sign_in(user):
                password_change.offer_enrolment(user)
            session_changes.await_factor(request, user)
            return redirect(_with_next(request, "accounts:verify"))
    return render(request, "accounts/sign_in.html", {"form": form})


@login_not_required
@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Step 2: the second factor. Only now there is somebody."""
    return _second_step(request, CodeForm(request.POST or None), second_factor_step.complete, "accounts/verify.html")


@login_not_required
@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def recovery(request: HttpRequest) -> HttpResponse:
    """Step 2 without any factor at hand: a recovery code, which leads to enrolling a new one (security F-7)."""
    form = RecoveryCodeForm(request.POST or None)
    return _second_step(request, form, second_factor_step.complete_with_recovery_code, "accounts/verify_recovery.html")


@login_not_required
@never_cache
@require_POST
def passkey_options(request: HttpRequest) -> HttpResponse:
    """What the browser needs to ask for a passkey: anybody's, or after a password that person's."""
    waiting = stages.pending(request.session)
    if waiting is not None:
        return JsonResponse(webauthn.challenge(request.session, webauthn.Purpose.SIGN_IN, user=waiting.user))
    if not webauthn.may_challenge_stranger(call_origin.current().source):
        return JsonResponse({"detail": "Too many tries from here. Wait a quarter of an hour."}, status=429)
    options, challenge = webauthn.challenge_stranger()
    return stranger_challenge.hand_out(JsonResponse(options), challenge)


@login_not_required
@never_cache
@require_POST
def passkey(request: HttpRequest) -> HttpResponse:
    """A passkey alone, which counts as both factors; or as the second step."""
    if request.user.is_authenticated:
        return redirect(destination(request))
    form = PasskeySignInForm(request.POST)
    if not form.is_valid():
        return redirect(_step_before(request))
    waiting = stages.pending(request.session)
    answer, kept = form.cleaned_data["assertion"], stranger_challenge.kept(request)
    try:
        admitted = second_factor_step.complete_with_passkey(request.session, waiting, answer, kept=kept)
    except Invalid as error:
        messages.error(request, error.message)
        target = _step_before(request)
    else:
        session_changes.open_session(request, admitted)
        target = destination(request)
    return redirect(target) if waiting else stranger_challenge.take_back(redirect(target))


@require_POST
@open_to_members("whoever is in may leave")
def sign_out(request: MemberRequest) -> HttpResponse:
    """End the session here and in the store, and have the browser drop what it kept.

    While the database takes no changes it ends here alone, and the page says when it does in the store.
    """
    if standby.is_read():
        response = _left_here(request)
    else:
        session_changes.leave(request)
        messages.success(request, "You are signed out.")
        response = redirect("accounts:sign_in")
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _left_here(request: MemberRequest) -> HttpResponse:
    context = {"over_at": session_data.ends_at(request.session, request.organization)}
    session_changes.leave_here(request)
    response = render(request, "accounts/left_here.html", context)
    response.delete_cookie(
        settings.SESSION_COOKIE_NAME, path=settings.SESSION_COOKIE_PATH, samesite=settings.SESSION_COOKIE_SAMESITE
    )
    return response


@require_POST
@open_to_members("only into memberships of one's own")
def switch(request: MemberRequest) -> HttpResponse:
    """Go on as a member of another Organization of the same person."""
    number = request.POST.get("organization", "")
    members = Member.objects.active().filter(user=request.member.user).select_related("organization", "user")
    member = get_object_or_404(members, organization_id=int(number) if number.isdecimal() and len(number) < 19 else 0)
    if not held(member):
        # What they showed counts there no longer, and there is nothing that does: the way in is in their mail.
        password_change.offer_enrolment(request.member.user, member)
        messages.warning(request, NOTHING_THERE.format(member.organization.name))
        return redirect("accounts:security")
    way = path_here(request, request.POST.get("next", ""))
    try:
        session_changes.switch(request, member)
    except stages.Ended as error:
        messages.warning(request, error.message)
        return redirect(reverse("accounts:sign_in") + (f"?{urlencode({'next': way})}" if way else ""))
    return redirect(way or "policies:inbox")


def _step_before(request: HttpRequest) -> str:
    return _with_next(request, "accounts:verify" if stages.pending(request.session) else "accounts:sign_in")


def _with_next(request: HttpRequest, route: str) -> str:
    wanted = request.GET.get("next")
    return reverse(route) + (f"?{urlencode({'next': wanted})}" if wanted else "")


def _second_step(
    request: HttpRequest, form: Form, complete: Callable[[SessionBase, str], Admitted], template: str
) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(destination(request))
    waiting = stages.pending(request.session)
    if waiting is None:
        return redirect(_with_next(request, "accounts:sign_in"))
    if form.is_valid():
        try:
            admitted = complete(request.session, form.cleaned_data["code"])
        except stages.Ended as error:
            messages.error(request, error.message)
            return redirect(_with_next(request, "accounts:sign_in"))
        except Invalid as error:
            form.refuse(error)
        else:
            session_changes.open_session(request, admitted)
            return redirect(destination(request))
    factors = held_anywhere(waiting.user)
    context = {"form": form, "has_passkey": PASSKEY in factors, "has_app": TOTP in factors}
    return render(request, template, context)
