"""One member: what they may do, their factors, sessions and history, and what can be done about them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts import grants
from accounts.authentication import session_store
from accounts.emergency_stop import keep_out as keeping_out
from accounts.emergency_stop.lift_suspension import LiftMemberSuspension, lift_member_suspension
from accounts.forms.service_users.service_users import ConfirmForm
from accounts.grants import Rights
from accounts.members.end_membership import RemoveMember, remove_member
from accounts.members.identity import checks, reviewers
from accounts.models import Account, Member
from accounts.security.reset_factors import ResetFactors, reset_factors
from accounts.views.members.members import factors_of, state_of
from accounts.views.named_member import member_of
from policies import groups
from policies.access import allows, lacking, needs
from policies.changes import propose
from policies.models import ChangeRequest
from policies.views.asking import answer_to
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.core.web.http import MemberRequest

RECENT = 20


@dataclass(frozen=True, slots=True)
class Cell:
    """Whether one right is held, and by which word: yes, implied by another, or no."""

    label: str
    is_held: bool
    is_implied: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One workflow of the matrix, for all Accounts or for one."""

    title: str
    account: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One event of their history; `before` and `after` where rights changed."""

    title: str
    actor_label: str
    at: datetime
    before: str
    after: str
    reason: str


@dataclass(frozen=True, slots=True)
class Bars:
    """Why the reader cannot do each of these; empty where they can."""

    rights: str
    suspend: str
    lift: str
    keep_out: str
    remove: str
    reset: str
    sessions: str
    review: str


@dataclass(slots=True)
class Posted:
    """The one form that was just posted and could not be taken."""

    forms: dict[str, ConfirmForm] = field(default_factory=dict)

    def form(self, name: str, request: MemberRequest) -> ConfirmForm:
        """The form of that name: the one just refused, with its errors, or an empty one."""
        return self.forms.get(name) or ConfirmForm(step_up=request.step_up, auto_id=f"id_{name}_%s")


@require_safe
@needs(Workflow.MANAGE_ACCESS, Right.VIEW)
def member(request: MemberRequest, number: int) -> HttpResponse:
    """Everything about one member."""
    return _page(request, member_of(request, number))


@require_POST
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def keep_out(request: MemberRequest, number: int) -> HttpResponse:
    """Ask that they stay out until that is lifted."""
    found = member_of(request, number)
    return _asked(
        request,
        found,
        "keep_out",
        lambda: propose(keeping_out.keep_out, actor=request.member, params=keeping_out.KeepOut(found.pk)),
    )


@require_POST
@needs(Workflow.MANAGE_ACCESS, Right.VIEW)
def lift(request: MemberRequest, number: int) -> HttpResponse:
    """Ask that they may come back; who approves may ask that too."""
    found = member_of(request, number)
    return _asked(
        request,
        found,
        "lift",
        lambda: propose(lift_member_suspension, actor=request.member, params=LiftMemberSuspension(found.pk)),
    )


@require_POST
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def remove(request: MemberRequest, number: int) -> HttpResponse:
    """Ask that they go for good."""
    found = member_of(request, number)
    held = grants.of(found)
    params = RemoveMember(found.pk, grants.in_words(held, grants.names(held)))
    return _asked(request, found, "remove", lambda: propose(remove_member, actor=request.member, params=params))


@require_POST
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def reset(request: MemberRequest, number: int) -> HttpResponse:
    """Ask that they enrol their second factors anew."""
    found = member_of(request, number)
    return _asked(
        request,
        found,
        "reset",
        lambda: propose(reset_factors, actor=request.member, params=ResetFactors(found.pk)),
    )


def _page(request: MemberRequest, found: Member, posted: Posted | None = None) -> HttpResponse:
    shown = posted or Posted()
    state, level = state_of(found)
    events = AuditEvent.objects.filter(
        organization=request.organization,
        workflow=Workflow.MANAGE_ACCESS.value,
        subject_kind="member",
        subject_id=found.pk,
    )
    rows = [row for row in session_store.theirs(found.user) if row.member_id == found.pk]
    context = {
        "member": found,
        "is_you": found.pk == request.member.pk,
        "state": state,
        "level": level,
        "lines": matrix(grants.of(found), request),
        "rights": list(Right),
        "groups": groups.of_member(found),
        "factors": factors_of([found.pk])[found.pk],
        "sessions": rows,
        "check": checks.waiting_of(request.organization, found.pk),
        "bars": _bars(request, found),
        "events": [_event(event) for event in events.order_by("-pk")[:RECENT]],
        "lift_form": shown.form("lift", request),
        "keep_out_form": shown.form("keep_out", request),
        "remove_form": shown.form("remove", request),
        "reset_form": shown.form("reset", request),
    }
    return render(request, "accounts/member.html", context)


def _event(event: AuditEvent) -> Event:
    kind = EventKind(event.kind).words if event.kind in set(EventKind) else event.kind
    data = event.data
    before, after = data.get("before"), data.get("after")
    is_change = isinstance(before, list) and isinstance(after, list)
    return Event(
        title=kind,
        actor_label=event.actor_label,
        at=event.at,
        before="; ".join(map(str, before)) or "nothing" if is_change else "",
        after="; ".join(map(str, after)) or "nothing" if is_change else "",
        reason=str(data.get("reason", "")),
    )


def matrix(held: Rights, request: MemberRequest) -> list[Line]:
    """Workflow by right by Account, also what nobody ticked."""
    accounts = list(Account.objects.filter(organization=request.organization).order_by("pk"))
    lines = []
    for workflow in Workflow:
        named = [account for account in accounts if workflow.by_account and len(accounts) > 1]
        for account in (None, *named):
            words = account.name if account else "All Accounts" if workflow.by_account else ""
            lines.append(Line(workflow.title, words, _cells(held, workflow, account.pk if account else None)))
    return lines


def _cells(held: Rights, workflow: Workflow, account_id: int | None) -> tuple[Cell, ...]:
    given = {one.right for one in held if one.workflow is workflow and one.account_id in (None, account_id)}
    written = {one.right for one in held if one.workflow is workflow and one.account_id == account_id}
    return tuple(
        Cell(right.title, is_held=right in written, is_implied=right not in written and bool(given & right.given_by))
        for right in Right
    )


def _bars(request: MemberRequest, found: Member) -> Bars:
    reader = request.member
    needs_initiate = lacking(Workflow.MANAGE_ACCESS, Right.INITIATE)
    may_ask = "" if allows(reader, Workflow.MANAGE_ACCESS, Right.INITIATE) else needs_initiate
    may_lift = may_ask and not allows(reader, Workflow.MANAGE_ACCESS, Right.APPROVE)
    owner = "The Owner’s rights and membership change only by a transfer of ownership." if found.is_owner else ""
    own = "Nobody suspends themselves. End your other sessions under Security." if found.pk == reader.pk else ""
    own_factors = "Change your own factors under Security." if found.pk == reader.pk else ""
    gone = "They were removed." if found.removed_at else ""
    is_out = found.is_suspended and found.suspended_until is None
    return Bars(
        rights=gone or may_ask or owner,
        suspend=gone or may_ask or own or ("They are suspended already." if found.is_suspended else ""),
        keep_out=gone or may_ask or own or ("They are kept out already." if is_out else ""),
        lift=lacking(Workflow.MANAGE_ACCESS, Right.INITIATE, Right.APPROVE) if may_lift else "",
        remove=gone or may_ask or owner,
        reset=gone or may_ask or own_factors,
        sessions=gone or may_ask,
        review=reviewers.bar_to_review(found, reader),
    )


def _asked(request: MemberRequest, found: Member, name: str, ask: Callable[[], ChangeRequest]) -> HttpResponse:
    form = ConfirmForm(request.POST, step_up=request.step_up, auto_id=f"id_{name}_%s")
    answer = answer_to(request, form, ask, done=reverse("accounts:member", args=[found.pk]))
    return answer or _page(request, found, Posted({name: form}))
