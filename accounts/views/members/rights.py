"""Asking for other rights of a member."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.forecast import forecast, gives_power
from accounts.forms.members.members import RightsForm
from accounts.members.change_rights import change_rights
from accounts.members.presets import preset
from accounts.views.named_member import member_of
from policies.access import needs
from policies.changes import propose
from policies.rules import lock_protection
from policies.views.asking import answer_to
from policies.workflows import Right, Workflow
from portal.core.web.http import MemberRequest
from portal.core.web.ticked_boxes import ticked


@require_http_methods(["GET", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def change(request: MemberRequest, number: int) -> HttpResponse:
    """The matrix, as it is or as a preset would have it; asking takes a second factor."""
    member = member_of(request, number)
    chosen = preset(request.GET.get("preset", ""))
    form = RightsForm(request.POST or None, step_up=request.step_up, member=member, chosen=chosen)
    answer = answer_to(
        request,
        form,
        lambda: propose(change_rights, actor=request.member, params=form.params()),
        done=reverse("accounts:member", args=[member.pk]),
    )
    if answer:
        return answer
    afterwards = f"In the same moment all sessions of {member.label} end, and they sign in again."
    posted = request.POST if request.method == "POST" else None
    boxes = ticked(posted, request.GET, "rights", form.initial["rights"])
    notice = forecast(
        request.member,
        account_id=None,
        afterwards=afterwards,
        subject=member,
        protected=gives_power(boxes - form.held_boxes),
        protected_if=lock_protection.RIGHTS.case,
    )
    context = {
        "form": form,
        "member": member,
        "notice": notice,
        "chosen": chosen,
        "rights": list(Right),
        "button": "Ask for approval" if notice.waits else "Change rights",
    }
    return render(request, "accounts/change_rights.html", context)
