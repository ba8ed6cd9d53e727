"""What is frozen and was, freezing at once, and asking that a freeze lasts longer or is lifted (DESIGN §4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from policies.access import allows, open_to_members
from policies.changes import propose
from policies.forecast import forecast
from policies.forms.freezes import FreezeForm, FreezeLongerForm, LiftFreezeForm
from policies.freezes.freeze import freeze as freeze_at_once
from policies.freezes.governed import LIFT, LONGER, FreezeLonger, LiftFreeze
from policies.freezes.places import right_there
from policies.freezes.seen import seen_by
from policies.inbox import queues
from policies.models import ChangeRequest, Freeze
from policies.rules import EVERY_ACCOUNT
from policies.views.asking import answer_to
from policies.workflows import Right, Workflow
from portal.core.errors import DomainError
from portal.core.paging import keyset
from portal.core.web.http import MemberRequest

ENDED: Final = 20
# One of each member at the most runs without others having agreed.
RUNNING: Final = 200
WAITING: Final = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One freeze that runs: what is asked about it, and what the reader may ask about it."""

    freeze: Freeze
    waiting: tuple[ChangeRequest, ...]
    may_lift: bool
    may_lengthen: bool


@require_safe
@open_to_members("it lists what the reader may view: any right on the workflow, and the Account")
def freezes(request: MemberRequest) -> HttpResponse:
    """Those that run, then those that have ended, newest first."""
    now, seen = timezone.now(), seen_by(request.member.pk, request.organization.pk)
    rows = seen.select_related("made_by__user")
    running = list(rows.filter(ended_at=None, ends_at__gt=now).order_by("-pk")[:RUNNING])
    over = Q(ended_at__isnull=False) | Q(ends_at__lte=now)
    waiting = _waiting(request, running)
    context = {
        "rows": [_row(request, one, waiting.get(f"freeze:{one.pk}", ())) for one in running],
        "page": keyset(rows.filter(over), after=request.GET.get("after"), size=ENDED),
        "may_freeze": _may_freeze(request),
        "sees_policies": allows(request.member, Workflow.MANAGE_POLICIES, Right.VIEW),
    }
    return render(request, "policies/freezes.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@open_to_members("what they may freeze is asked of each workflow, and again under the lock")
def freeze(request: MemberRequest) -> HttpResponse:
    """Freeze at once; a link may have chosen what."""
    if not _may_freeze(request):
        raise PermissionDenied("You need Initiate on a workflow to freeze it. Ask a member with Manage Access.")
    form = FreezeForm(
        request.POST if request.method == "POST" else None,
        step_up=request.step_up,
        member=request.member,
        chosen=request.GET,
    )
    if form.is_valid():
        values = form.cleaned_data
        try:
            made = freeze_at_once(
                actor=request.member, place=form.place, hours=values["hours"], reason=values["reason"]
            )
        except DomainError as error:
            form.refuse(error)
        else:
            told = "Everybody who approves there, or on Manage Access, was told."
            messages.success(request, f"{made.label} is frozen.\n{told} It ends by itself, unless it is lifted before.")
            return redirect("policies:freezes")
    return render(request, "policies/freeze.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@open_to_members("who may ask is asked of the frozen workflow, and again when it is asked")
def freeze_longer(request: MemberRequest, number: int) -> HttpResponse:
    """Ask that a freeze lasts longer."""
    found = _found(request, number, Right.INITIATE)
    form = FreezeLongerForm(request.POST if request.method == "POST" else None, step_up=request.step_up)

    def ask() -> ChangeRequest:
        params = FreezeLonger(found.pk, found.label, found.account_id, form.until())
        run = LONGER[Workflow(found.workflow)]
        return propose(run, actor=request.member, params=params, note=form.cleaned_data["note"])

    answer = answer_to(request, form, ask, done="policies:freezes")
    return answer or _asking(request, found, form, lifts=False)


@require_http_methods(["GET", "HEAD", "POST"])
@open_to_members("who may ask is asked of the frozen workflow, and again when it is asked")
def lift_freeze(request: MemberRequest, number: int) -> HttpResponse:
    """Ask that a freeze ends now; who approves there may ask that too."""
    found = _found(request, number, Right.INITIATE, Right.APPROVE)
    form = LiftFreezeForm(request.POST if request.method == "POST" else None, step_up=request.step_up)

    def ask() -> ChangeRequest:
        params = LiftFreeze(found.pk, found.label, found.account_id)
        run = LIFT[Workflow(found.workflow)]
        return propose(run, actor=request.member, params=params, note=form.cleaned_data["note"])

    answer = answer_to(request, form, ask, done="policies:freezes")
    return answer or _asking(request, found, form, lifts=True)


def _asking(
    request: MemberRequest, found: Freeze, form: FreezeLongerForm | LiftFreezeForm, *, lifts: bool
) -> HttpResponse:
    workflow = Workflow(found.workflow)
    named = EVERY_ACCOUNT if workflow.by_account and found.account_id is None else found.account_id
    # No freeze stops these, and they move no amount.
    told = replace(forecast(request.member, workflow, account_id=named, protected=lifts), frozen="", depends=False)
    context = {"freeze": found, "form": form, "lifts": lifts, "forecast": told}
    return render(request, "policies/freeze_request.html", context)


def _found(request: MemberRequest, number: int, *enough: Right) -> Freeze:
    """A freeze that runs and that the reader may ask about; another one is as unknown as one that never was."""
    rows = seen_by(request.member.pk, request.organization.pk).filter(ended_at=None, ends_at__gt=timezone.now())
    found = rows.select_related("made_by__user").filter(pk=number).first()
    if found is None or not any(_holds(request, right, found) for right in enough):
        raise Http404("There is no such freeze, or it has ended.")
    return found


def _row(request: MemberRequest, found: Freeze, waiting: tuple[ChangeRequest, ...]) -> Row:
    asks = _holds(request, Right.INITIATE, found)
    return Row(found, waiting, may_lift=asks or _holds(request, Right.APPROVE, found), may_lengthen=asks)


def _holds(request: MemberRequest, right: Right, found: Freeze) -> bool:
    return right_there(request.member, right, Workflow(found.workflow), found.account_id)


def _may_freeze(request: MemberRequest) -> bool:
    return any(allows(request.member, workflow, Right.INITIATE) for workflow in Workflow)


def _waiting(request: MemberRequest, running: Sequence[Freeze]) -> Mapping[str, tuple[ChangeRequest, ...]]:
    """What waits about each, by subject."""
    subjects = [f"freeze:{one.pk}" for one in running]
    found: dict[str, tuple[ChangeRequest, ...]] = {}
    for change in queues.viewable(request.member).filter(subject__in=subjects).order_by("-pk")[:WAITING]:
        found[change.subject] = (*found.get(change.subject, ()), change)
    return found
