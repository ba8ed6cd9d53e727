"""Changing one's password, and the links that travel by mail: for a new password, and for a first factor."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.authentication import email_links
from accounts.authentication import password_step as stages
from accounts.authentication.email_links import unreferred
from accounts.forms.authentication.passwords import ChangePasswordForm, EnrolLinkForm, ForgottenForm, ResetForm
from accounts.models import AccessLink, Member
from accounts.models.invitation import LinkPurpose
from accounts.security import password_change
from accounts.views import session_changes
from policies.access import open_to_members
from portal.core.errors import Conflict, DomainError, Invalid, NotFound
from portal.core.secrets.sealing import digest
from portal.core.web.http import MemberRequest

MARKS = {LinkPurpose.RESET_PASSWORD: "reset_link", LinkPurpose.ENROL: "enrol_link"}


@sensitive_post_parameters("current", "password", "again", "code")
@require_http_methods(["GET", "POST"])
@open_to_members("one's own password")
def change_password(request: MemberRequest) -> HttpResponse:
    """A new password, with the present one and a second factor."""
    form = ChangePasswordForm(request.POST or None, step_up=request.step_up, user=request.member.user)
    if form.is_valid():
        try:
            user = password_change.change(
                request.member,
                current=form.cleaned_data["current"],
                new=form.cleaned_data["password"],
                key=request.session.session_key,
            )
        except Invalid as error:
            form.refuse(error)
        else:
            # Gives the session that stays a new key, and the digest that it is checked against.
            update_session_auth_hash(request, user)
            messages.success(request, "Your password is changed.\nYour other sessions were ended.")
            return redirect("accounts:profile")
    return render(request, "accounts/change_password.html", {"form": form})


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """Ask for a link. The answer is the same whoever asks for whomever (security SI-4)."""
    form = ForgottenForm(request.POST or None)
    if form.is_valid():
        password_change.ask_for_link(form.cleaned_data["email"])
        return render(request, "accounts/forgotten_sent.html")
    return render(request, "accounts/forgotten.html", {"form": form})


@login_not_required
@never_cache
@require_safe
def reset_link(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address before the form shows (security SI-11)."""
    return _kept(request, token, LinkPurpose.RESET_PASSWORD, onward="accounts:reset")


@login_not_required
@never_cache
@sensitive_post_parameters("password", "again")
@require_http_methods(["GET", "POST"])
def reset(request: HttpRequest) -> HttpResponse:
    """A new password. It signs nobody in: the next page is the sign-in, and asks for both factors."""
    purpose = LinkPurpose.RESET_PASSWORD
    try:
        link = email_links.find(request.session.get(MARKS[purpose], ""), purpose)
        form = ResetForm(request.POST or None, user=link.user)
        if form.is_valid():
            password_change.reset(link, new=form.cleaned_data["password"])
            request.session.flush()
            messages.success(request, "Your password is set.\nSign in with it and your second factor.")
            return unreferred(redirect("accounts:sign_in"))
    except NotFound as error:
        return _over(request, error)
    return unreferred(render(request, "accounts/reset.html", {"form": form, "email": link.user.email}))


@login_not_required
@never_cache
@require_safe
def enrol_link(request: HttpRequest, token: str) -> HttpResponse:
    """As `reset_link`, for who is to enrol a factor."""
    return _kept(request, token, LinkPurpose.ENROL, onward="accounts:enrol_start")


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def enrol_start(request: HttpRequest) -> HttpResponse:
    """The password beside the link; then the enrolment, as after an invitation."""
    purpose = LinkPurpose.ENROL
    form = EnrolLinkForm(request.POST or None)
    try:
        link = email_links.find(request.session.get(MARKS[purpose], ""), purpose)
        if form.is_valid():
            _start_enrolment(request, link, form.cleaned_data["password"])
            return unreferred(redirect("accounts:enrol"))
    except NotFound as error:
        return _over(request, error)
    except Conflict as error:
        messages.error(request, error.message)
        return unreferred(redirect("accounts:sign_in"))
    except Invalid as error:
        form.refuse(error)
    return unreferred(render(request, "accounts/enrol_start.html", {"form": form}))


def _start_enrolment(request: HttpRequest, link: AccessLink, password: str) -> None:
    try:
        user = stages.check_password(link.user.email, password)
    except Invalid as error:
        raise Invalid("This is not your password, or it was tried too often.", field="password") from error
    members = Member.objects.active().filter(user=user).select_related("organization", "user").order_by("pk")
    member = (members.filter(pk=link.member_id) if link.member_id else members).first()
    if member is None:
        raise NotFound("This link is for somebody who is no member any more.")
    with transaction.atomic():
        email_links.spend(link)
        session_changes.await_first_factor(request, member)


def _kept(request: HttpRequest, token: str, purpose: LinkPurpose, *, onward: str) -> HttpResponse:
    try:
        link = email_links.find(digest(token), purpose)
    except NotFound as error:
        return _over(request, error)
    request.session[MARKS[purpose]] = link.token_digest
    return unreferred(redirect(onward))


def _over(request: HttpRequest, error: DomainError) -> HttpResponse:
    return unreferred(render(request, "accounts/link_over.html", {"text": error.message}, status=404))
