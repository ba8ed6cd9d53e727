"""The Organization's own page: how members sign in, and its Owner."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.forecast import Told, forecast
from accounts.forms.organizations.settings import SecurityForm, TransferForm
from accounts.forms.service_users.service_users import ConfirmForm
from accounts.models.organization import SecondFactorLevel
from accounts.organizations import ownership, sign_in_rules
from accounts.organizations.settings import change_security
from accounts.organizations.transfer_ownership import transfer_ownership
from policies.access import allows, needs, open_to_members
from policies.changes import propose
from policies.rules import lock_protection
from policies.views.asking import answer_to
from policies.workflows import Right, Workflow
from portal.core.errors import DomainError
from portal.core.web.http import MemberRequest

ACCEPT = "accept"
# Said while nobody is chosen yet, who then is not among those who approve (DESIGN R3).
NOT_THEMSELVES = "Whoever is to be the Owner does not approve it."
OFFERED = "Then the new Owner has to accept it. Until that moment nothing changes."


@require_safe
@needs(Workflow.MANAGE_ACCESS, Right.VIEW)
def organization(request: MemberRequest) -> HttpResponse:
    """What holds for everybody here."""
    offer = ownership.open_offer(request.organization)
    may_ask = allows(request.member, Workflow.MANAGE_ACCESS, Right.INITIATE)
    owner = ownership.owner_of(request.organization)
    context = {
        "security": sign_in_rules.of(request.organization),
        "owner": owner,
        "offer": offer,
        "is_offered_to_you": offer is not None and offer.to_id == request.member.pk,
        "may_ask": may_ask,
        "may_transfer": may_ask and (owner.pk == request.member.pk or owner.is_suspended),
    }
    return render(request, "accounts/organization.html", context)


@require_http_methods(["GET", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def security(request: MemberRequest) -> HttpResponse:
    """Ask for another 2FA level or other session limits, with the effect on each member in sight."""
    before = sign_in_rules.of(request.organization)
    form = SecurityForm(request.POST or None, step_up=request.step_up, before=before)
    answer = answer_to(
        request,
        form,
        lambda: propose(change_security, actor=request.member, params=form.params()),
        done="accounts:organization",
    )
    if answer:
        return answer
    notice = forecast(
        request.member,
        account_id=None,
        afterwards="It counts from everybody’s next page on.",
        protected_if=lock_protection.SIGN_IN.case,
    )
    context = {
        "form": form,
        "notice": notice,
        "effects": sign_in_rules.effects(request.organization, SecondFactorLevel.PASSKEY),
        "button": _button(notice, "Change"),
    }
    return render(request, "accounts/change_security.html", context)


@require_http_methods(["GET", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def transfer(request: MemberRequest) -> HttpResponse:
    """Ask that somebody else becomes the Owner."""
    owner = ownership.owner_of(request.organization)
    form = TransferForm(
        request.POST or None,
        step_up=request.step_up,
        organization=request.organization,
        owner=owner,
        asker=request.member,
    )
    answer = answer_to(
        request,
        form,
        lambda: propose(transfer_ownership, actor=request.member, params=form.params()),
        done="accounts:organization",
    )
    if answer:
        return answer
    chosen = form.cleaned_data.get("member") if form.is_bound else None
    notice = forecast(
        request.member,
        account_id=None,
        afterwards=" ".join((*(() if chosen else (NOT_THEMSELVES,)), OFFERED)),
        subject=chosen,
        accepted=True,
        protected=True,
    )
    return render(request, "accounts/transfer.html", {"form": form, "owner": owner, "notice": notice})


@require_http_methods(["GET", "POST"])
@open_to_members("only for whom an offer was made to")
def offer(request: MemberRequest) -> HttpResponse:
    """Accept the ownership, or leave it where it is."""
    offered = ownership.open_offer(request.organization)
    if offered is None or offered.to_id != request.member.pk:
        messages.error(request, "No offer of ownership waits for you any more.")
        return redirect("dashboard:home")
    form = ConfirmForm(request.POST if request.method == "POST" else None, step_up=request.step_up)
    if form.is_valid():
        try:
            if request.POST.get("decision") == ACCEPT:
                ownership.accept(by=request.member, proof=form.proof, key=request.session.session_key)
                messages.success(request, f"You are the Owner of {request.organization.name}.")
            else:
                ownership.decline(by=request.member)
                messages.success(request, "You declined. The ownership stays where it is.")
        except DomainError as error:
            form.refuse(error)
        else:
            return redirect("dashboard:home")
    owner = ownership.owner_of(request.organization)
    return render(request, "accounts/offer.html", {"form": form, "offer": offered, "owner": owner})


def _button(notice: Told, at_once: str) -> str:
    return "Ask for approval" if notice.waits else at_once
