"""The invited person's side: the link, the password, and the first page."""

from collections.abc import Mapping, Sequence
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import grants
from accounts.authentication import password_step as stages
from accounts.authentication.email_links import unreferred
from accounts.factors.enrolled import held
from accounts.forms.members.invitations import AcceptForm
from accounts.forms.security.factors import ConfirmForm
from accounts.members import invitations as doors
from accounts.models import Account, Invitation, Member, Organization
from accounts.views import session_changes
from policies.access import open_to_members
from policies.models import Policy
from policies.rules.stages import meaning_for
from policies.workflows import Workflow
from portal.core.errors import DomainError, NotFound
from portal.core.secrets.sealing import digest
from portal.core.web.http import MemberRequest

INVITATION = "invitation"
WELCOME = "accounts:welcome"


@login_not_required
@never_cache
@require_safe
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address before anything is shown (security SI-11). Opening it uses nothing up."""
    try:
        found = doors.find(digest(token))
    except NotFound as error:
        return unreferred(render(request, "accounts/link_over.html", {"text": error.message}, status=404))
    request.session[INVITATION] = found.token_digest
    return unreferred(redirect("accounts:accept"))


@login_not_required
@never_cache
@sensitive_post_parameters("password", "again")
@require_http_methods(["GET", "POST"])
def accept(request: HttpRequest) -> HttpResponse:
    """Become a Member: with a new password, or as whoever has signed in under the invited address."""
    member = getattr(request, "member", None)
    if isinstance(member, Member):
        return unreferred(_waiting(cast("MemberRequest", request), doors.waiting_for(member.user)))
    try:
        found = doors.find(request.session.get(INVITATION, ""))
    except NotFound as error:
        request.session.pop(INVITATION, None)
        return unreferred(render(request, "accounts/link_over.html", {"text": error.message}, status=404))
    if not doors.needs_password(found):
        context = {"invitation": found, "next": reverse("accounts:accept")}
        return unreferred(render(request, "accounts/accept_signed_in.html", context))
    form = AcceptForm(request.POST or None, invitation=found)
    if form.is_valid():
        try:
            new = doors.accept(found, name=form.cleaned_data["name"], password=form.cleaned_data["password"])
        except DomainError as error:
            form.refuse(error)
        else:
            return unreferred(_hand_over(request, new))
    context = {"form": form, "invitation": found, "rights": _rights(found)}
    return unreferred(render(request, "accounts/accept.html", context))


@require_POST
@open_to_members("only invitations to one's own address")
def accept_more(request: MemberRequest, number: int) -> HttpResponse:
    """Join a further Organization, as who one is already; it gives rights, so it takes a factor (security SU-1)."""
    waiting = {found.pk: found for found in doors.waiting_for(request.member.user)}
    if number not in waiting:
        raise Http404(doors.GONE)
    form = ConfirmForm(request.POST, step_up=request.step_up, auto_id=f"id_{number}_%s")
    if not form.is_valid():
        return _waiting(request, list(waiting.values()), {number: form})
    try:
        new = doors.accept(waiting[number], by=request.member)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("accounts:accept")
    try:
        session_changes.switch(request, new)
    except stages.Ended as error:
        messages.success(request, f"You are a member of {new.organization.name} now.\n{error.message}")
        return redirect("accounts:sign_in")
    return redirect(WELCOME)


@require_safe
@open_to_members("it shows one's own rights")
def welcome(request: MemberRequest) -> HttpResponse:
    """The first page: what one may do here, and what comes next."""
    accounts = dict(Account.objects.filter(organization=request.organization).values_list("pk", "name"))
    context = {
        "rights": grants.by_workflow(grants.of(request.member), accounts),
        "factors": held(request.member),
        "withdrawals": _withdrawals_ask_for(request.organization),
    }
    return render(request, "accounts/welcome.html", context)


def _waiting(
    request: MemberRequest, waiting: Sequence[Invitation], posted: Mapping[int, ConfirmForm] | None = None
) -> HttpResponse:
    forms = posted or {}
    rows = [
        (found, forms.get(found.pk) or ConfirmForm(step_up=request.step_up, auto_id=f"id_{found.pk}_%s"))
        for found in waiting
    ]
    return render(request, "accounts/accept_more.html", {"rows": rows})


def _withdrawals_ask_for(organization: Organization) -> str:
    """What is so at this moment, not what the portal is for: before a policy, one member may send money alone."""
    policy = Policy.objects.filter(organization=organization, workflow=Workflow.INITIATE_WITHDRAWAL.value).first()
    asked = policy.approvals if policy else None
    return meaning_for(Workflow.INITIATE_WITHDRAWAL, asked, always=bool(policy and policy.always))


def _hand_over(request: HttpRequest, member: Member) -> HttpResponse:
    """To enrolling a factor, or for who holds one to showing it: a password alone opens nothing (security SI-1)."""
    if held(member):
        session_changes.await_factor(request, member.user)
        return redirect(f"{reverse('accounts:verify')}?next={reverse(WELCOME)}")
    session_changes.await_first_factor(request, member, then=reverse(WELCOME))
    return redirect("accounts:enrol")


def _rights(found: Invitation) -> tuple[tuple[str, str], ...]:
    accounts = dict(Account.objects.filter(organization=found.organization).values_list("pk", "name"))
    return grants.by_workflow(doors.rights_of(found), accounts)
