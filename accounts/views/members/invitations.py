"""Inviting people: the list, a new invitation, sending it again, taking it back."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import grants
from accounts.emergency_stop.preview import of_taking_back
from accounts.forecast import forecast, gives_power
from accounts.forms.emergency_stop import StopForm
from accounts.forms.members.invitations import InviteForm
from accounts.forms.members.rights import written
from accounts.members import invitations as doors
from accounts.members.invite_member import invite_member
from accounts.members.presets import preset
from accounts.members.revoke_invitation import TakeBack, take_back_invitation
from accounts.models import Account, Invitation
from accounts.views.emergency_stop.stop import Page, ask, pull
from policies.access import allows, needs
from policies.changes import propose
from policies.rules import lock_protection
from policies.views.asking import answer_to
from policies.workflows import Right, Workflow
from portal.core.display.markup import Level
from portal.core.errors import DomainError
from portal.core.paging import keyset
from portal.core.web.http import MemberRequest
from portal.core.web.ticked_boxes import ticked


@dataclass(frozen=True, slots=True)
class Row:
    """One invitation of the list."""

    invitation: Invitation
    state: str
    level: Level
    rights: tuple[tuple[str, str], ...]
    is_unanswered: bool


@require_safe
@needs(Workflow.MANAGE_ACCESS, Right.VIEW)
def invitations(request: MemberRequest) -> HttpResponse:
    """Who was invited, and what came of it."""
    rows = Invitation.objects.of(request.organization).select_related("invited_by__user")
    page = keyset(rows, after=request.GET.get("after"))
    accounts = dict(Account.objects.filter(organization=request.organization).values_list("pk", "name"))
    context = {
        "rows": [_row(invitation, accounts) for invitation in page.rows],
        "page": page,
        "may_ask": allows(request.member, Workflow.MANAGE_ACCESS, Right.INITIATE),
    }
    return render(request, "accounts/invitations.html", context)


@require_http_methods(["GET", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def invite(request: MemberRequest) -> HttpResponse:
    """Ask for somebody to be invited."""
    chosen = preset(request.GET.get("preset", ""))
    initial = {"rights": [written(given) for given in chosen.rights]} if chosen else None
    form = InviteForm(request.POST or None, step_up=request.step_up, organization=request.organization, initial=initial)
    answer = answer_to(
        request,
        form,
        lambda: propose(invite_member, actor=request.member, params=form.params()),
        done="accounts:invitations",
    )
    if answer:
        return answer
    posted = request.POST if request.method == "POST" else None
    rights = ticked(posted, request.GET, "rights", initial["rights"] if initial else ())
    notice = forecast(
        request.member,
        account_id=None,
        protected=gives_power(rights),
        afterwards="Then the link is mailed; it is good for seven days.",
        protected_if=lock_protection.INVITE.case,
    )
    context = {
        "form": form,
        "notice": notice,
        "chosen": chosen,
        "rights": list(Right),
        "button": "Ask for approval" if notice.waits else "Send the invitation",
    }
    return render(request, "accounts/invite.html", context)


@require_POST
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def send_again(request: MemberRequest, number: int) -> HttpResponse:
    """Mail a new link; the old one is dead. It goes to an outside address, so it takes a second factor (SU-1)."""
    if request.step_up.recent() is None:
        messages.warning(request, "Nothing was sent yet.\nShow your second factor first, then send it again.")
        return redirect(f"{reverse('accounts:prove')}?{urlencode({'next': reverse('accounts:invitations')})}")
    try:
        invitation = doors.send_again(actor=request.member, number=number)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"A new link is on its way to {invitation.email}.\nThe old one works no longer.")
    return redirect("accounts:invitations")


@require_http_methods(["GET", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def take_back(request: MemberRequest, number: int) -> HttpResponse:
    """Take an invitation back: at once, or by a request where that undoes what others agreed to."""
    invitation = get_object_or_404(Invitation, organization=request.organization, pk=number)
    at_once = doors.is_taken_back_at_once(invitation, request.member)
    is_answered = invitation.accepted_at is not None or invitation.revoked_at is not None
    page = Page(
        title=f"Take back the invitation of {invitation.email}",
        lead="It takes effect at once; nobody has to agree."
        if at_once
        else "Others agreed to it and you did not ask for it, so this is a request, which Manage Access decides.",
        button="Take back" if at_once else "Ask to take back",
        of="Invitations",
        back=reverse("accounts:invitations"),
        done=f"The invitation of {invitation.email} is taken back.\nIts link works no longer.",
        will=of_taking_back(invitation, at_once=at_once),
        bar="It was answered or taken back already." if is_answered else "",
    )
    form = StopForm(request.POST or None, step_up=request.step_up)
    if at_once:
        return pull(
            request,
            page,
            form,
            lambda: doors.revoke(actor=request.member, number=number, reason=form.cleaned_data["reason"]),
        )
    params = TakeBack(invitation.pk, invitation.email)
    return ask(
        request,
        page,
        form,
        lambda: propose(take_back_invitation, actor=request.member, params=params, note=form.cleaned_data["reason"]),
    )


def _row(invitation: Invitation, accounts: dict[int, str]) -> Row:
    states: tuple[tuple[bool, str, Level], ...] = (
        (invitation.accepted_at is not None, "Accepted", "done"),
        (invitation.revoked_at is not None, "Taken back", "void"),
        (not invitation.is_open, "Expired", "void"),
    )
    state, level = next(((word, level) for applies, word, level in states if applies), ("Waiting", "wait"))
    return Row(
        invitation=invitation,
        state=state,
        level=level,
        rights=grants.by_workflow(doors.rights_of(invitation), accounts),
        is_unanswered=invitation.accepted_at is None and invitation.revoked_at is None,
    )
