"""What is stopped now and by whom, and asking that it is lifted: one key, or all that one member stopped."""

from collections.abc import Mapping

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.emergency_stop import active
from accounts.emergency_stop.lift_stops import all_of, lift_stops, pause_of
from accounts.forms.service_users.service_users import ConfirmForm
from accounts.models import ApiKey
from accounts.views.named_member import member_of
from accounts.views.service_users.service_user import bot_of, page_of
from policies.access import allows, needs
from policies.changes import propose
from policies.views.asking import answer_to
from policies.workflows import Right, Workflow
from portal.core.web.http import MemberRequest


@require_safe
@needs(Workflow.MANAGE_ACCESS, Right.VIEW)
def active_stops(request: MemberRequest) -> HttpResponse:
    """Everything that is stopped, by who stopped it."""
    return _page(request)


@require_POST
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE, Right.APPROVE)
def lift_all(request: MemberRequest, number: int) -> HttpResponse:
    """Ask once for all that this member stopped; who approves may ask that too."""
    found = member_of(request, number)
    form = ConfirmForm(request.POST, step_up=request.step_up, auto_id=f"id_{number}_%s")
    answer = answer_to(
        request,
        form,
        lambda: propose(lift_stops, actor=request.member, params=all_of(found)),
        done="accounts:active_stops",
    )
    return answer or _page(request, {number: form})


@require_POST
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE, Right.APPROVE)
def lift_pause(request: MemberRequest, name: str, public: str) -> HttpResponse:
    """Ask that one paused key works again; who approves may ask that too."""
    bot = bot_of(request, name)
    key = get_object_or_404(ApiKey.objects.select_related("service_user"), service_user=bot, public=public)
    form = ConfirmForm(request.POST, step_up=request.step_up, auto_id=f"id_pause_{key.pk}_%s")
    answer = answer_to(
        request,
        form,
        lambda: propose(lift_stops, actor=request.member, params=pause_of(key)),
        done=reverse("accounts:service_user", args=[bot.name]),
    )
    return answer or page_of(request, bot, pause_form=(key.pk, form))


def _page(request: MemberRequest, posted: Mapping[int, ConfirmForm] | None = None) -> HttpResponse:
    forms = posted or {}
    rows = [
        (found, forms.get(found.by.pk) or ConfirmForm(step_up=request.step_up, auto_id=f"id_{found.by.pk}_%s"))
        for found in active.by_member(request.organization.pk)
    ]
    may_ask = any(allows(request.member, Workflow.MANAGE_ACCESS, right) for right in (Right.INITIATE, Right.APPROVE))
    return render(request, "accounts/active_stops.html", {"rows": rows, "may_lift": may_ask})
