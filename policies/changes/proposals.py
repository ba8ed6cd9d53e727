"""Asking: one row for every governed change, run at once where P2 says so."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from policies import notes, payload, registry
from policies.changes import staleness, transitions
from policies.models import ChangeRequest, State
from policies.models.policy import DEFAULT_OPEN_HOURS
from policies.notifications import mail
from policies.registry import Operation, Run
from policies.rules import Asked, Facts, Need, approvals_needed, eligible, is_met, lost_right, policy_of
from policies.snapshot import asking, gather
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import lock_histories
from portal.core import actors, call_origin
from portal.core.actors import Actor
from portal.core.display.phrases import counted
from portal.core.errors import Conflict, Invalid, NotFound, Refused, TooMany
from portal.core.secrets.sealing import token

if TYPE_CHECKING:
    from accounts.models import ApiKey, Member, ServiceUser

P = TypeVar("P")
REFERENCE_LENGTH: Final = 16
TITLE_LENGTH: Final = 200
OPEN_PER_MEMBER: Final = 20
OPEN_PER_KEY: Final = 50
AFTER_REJECTION: Final = timedelta(hours=1)


class _Undo(Exception):
    """Ends a trial run."""


def propose(
    operation: Run[P],
    *,
    actor: Actor,
    params: P,
    api_key: "ApiKey | None" = None,
    note: str = "",
    asked_again_from: ChangeRequest | None = None,
) -> ChangeRequest:
    """Ask for `operation`; where nobody else has to agree it has run when this returns, all in one transaction.

    Raises: Refused if the actor may not ask, or nobody could finish it; Conflict if it is already asked, was
    rejected within the hour, or too much is open; NotFound for an Account or Member of somebody else; and what the
    operation itself raises. Nothing is written then.
    """
    entry = registry.of(operation)
    note = notes.clean(note, field="note")
    with transaction.atomic():
        lock_histories((actor.organization_id, *entry.reaches(params)))
        asker = _again(actor)
        change = _drafted(entry, asker, params, _own_key(asker, api_key), note)
        change.asked_again_from = asked_again_from
        change.touched = staleness.asked(entry, change, params)
        facts = gather(asker.organization, [change], bots=entry.shifts_power)
        asked = _asked(change, entry, params, facts)
        _refuse_strangers(change, entry, asked, facts)
        _make_room(change, entry)
        need = approvals_needed(asked, facts.policies)
        _save(change, need, facts)
        if entry.opened is not None:
            entry.opened(actor=asker, params=params, change=change)
        transitions.record_move(EventKind.CHANGE_REQUESTED, change, asker, approvals=need.approvals)
        if need.approvals == 0:
            _run(change, entry, facts)
            transitions.end(change, State.EXECUTED, by=asker)
            staleness.make_others_stale(change)
            if _concerns_others(entry, asked, params, facts):
                mail.done_alone(change)
        else:
            # What it would leave behind is said first: that names the order that works.
            _try_out(change, entry, facts)
            refuse_unfinishable(asked, facts, need)
            mail.opened(change)
    return change


def _concerns_others(entry: Operation[P], asked: Asked, params: P, facts: Facts) -> bool:
    """Whether others are told of it although nobody had to agree: it gives power, takes it, or binds who holds it."""
    if entry.tells:
        return False
    takes_access = asked.takes_power and entry.workflow is Workflow.MANAGE_ACCESS
    return takes_access or entry.workflow is Workflow.MANAGE_POLICIES or entry.protected(params, facts)


def refuse_unfinishable(asked: Asked, facts: Facts, need: Need) -> None:
    """Let a request be opened only if those who may decide now could finish it (P5).

    Raises: Refused, naming who is missing.
    """
    people = eligible(asked, facts)
    if is_met(need, people, asked):
        return
    if len(people) >= need.approvals:
        if asked.frees:
            raise Refused(
                "Keys would withdraw at once then. For each of their Accounts who asks, or an approver who holds no "
                "such key, has to hold Execute on Initiate Withdrawal. Give one approver that right first."
            )
        raise Refused(
            "Nobody who can approve this holds Execute on Initiate Withdrawal, and nothing governs withdrawals yet. "
            "Set a policy for Initiate Withdrawal first, or give one approver that right."
        )
    able = f"only {', '.join(person.name for person in people)}" if people else "nobody"
    missing = need.approvals - len(people)
    raise Refused(
        f"Nobody could finish this: it needs {counted(need.approvals, 'approval')}, and {able} can give one. "
        f"Missing: {counted(missing, 'more member')} with Approve on {asked.workflow.title}."
    )


def _again(actor: Actor) -> "Member | ServiceUser":
    """The actor as the database has them now; rights are never read from an object that is older than the lock."""
    if actor.kind not in (actors.MEMBER, actors.SERVICE_USER):
        raise Refused("Only a member or a service user can ask for this.")
    known = cast("Member | ServiceUser", actor)
    related = ("organization", "user") if actor.kind == actors.MEMBER else ("organization",)
    return cast("Member | ServiceUser", type(known).objects.select_related(*related).get(pk=actor.pk))


def _own_key(asker: "Member | ServiceUser", api_key: "ApiKey | None") -> "ApiKey | None":
    if asker.kind == actors.MEMBER:
        return None
    key = api_key and type(api_key).objects.filter(pk=api_key.pk, service_user_id=asker.pk).first()
    if key is None or key.revoked_at is not None or key.paused_at is not None or key.has_expired:
        raise Refused("A service user asks through a key of its own that is in force.")
    return key


def _drafted(
    entry: Operation[P], asker: "Member | ServiceUser", params: P, key: "ApiKey | None", note: str
) -> ChangeRequest:
    headline = entry.headline(params)
    return ChangeRequest(
        organization=asker.organization,
        reference=token(REFERENCE_LENGTH),
        workflow=entry.workflow.value,
        operation=entry.key,
        account_id=entry.account(params),
        subject=entry.subject(params),
        subject_member_id=entry.subject_member(params),
        title=notes.clean(headline.title, field="title", max_length=TITLE_LENGTH),
        amount=headline.amount,
        asset=headline.asset,
        member=cast("Member", asker) if asker.kind == actors.MEMBER else None,
        service_user=cast("ServiceUser", asker) if asker.kind == actors.SERVICE_USER else None,
        api_key=key,
        initiator_label=asker.label,
        source=call_origin.current().source,
        note=note,
        params=payload.encode(params),
    )


def _asked(change: ChangeRequest, entry: Operation[P], params: P, facts: Facts) -> Asked:
    if entry.workflow.by_account and change.account_id is None:
        raise Invalid("Choose an Account.", field="account")
    if change.account_id is not None and change.account_id not in facts.accounts:
        raise NotFound("There is no such Account in this Organization.")
    people = {person.member_id for person in facts.people}
    if change.subject_member_id is not None and change.subject_member_id not in people:
        raise NotFound("There is no such member in this Organization.")
    return asking(entry, change, facts, params)


def _refuse_strangers(change: ChangeRequest, entry: Operation[Any], asked: Asked, facts: Facts) -> None:
    lack = lost_right(
        asked.initiator, asked.workflow, asked.account_id, entry.permission, approvers_ask=entry.approvers_ask
    )
    if lack is not None:
        raise Refused(lack)
    if not asked.gives_withdraw <= set(facts.accounts):
        raise NotFound("There is no such Account in this Organization.")


def _make_room(change: ChangeRequest, entry: Operation[Any]) -> None:
    """Expire what is past its time, then see that there is room for one more (R5, R6)."""
    mine = Q(member=change.member) if change.member_id else Q(service_user=change.service_user)
    due = ChangeRequest.objects.filter(mine, state=State.PENDING, expires_at__lte=timezone.now()).order_by("pk")
    transitions.each_apart(due.with_parties().for_change(), transitions.expire_now, what="expire a request")
    is_open = ChangeRequest.objects.filter(state__in=[State.PENDING, State.APPROVED])
    limit = OPEN_PER_MEMBER if change.member_id else OPEN_PER_KEY
    capped = is_open.filter(member=change.member) if change.member_id else is_open.filter(api_key=change.api_key)
    if capped.count() >= limit:
        raise TooMany(f"{limit} requests of {change.initiator_label} are open, and no more may be. Cancel one first.")
    if entry.money:
        return
    alike = Q(operation=change.operation, subject=change.subject)
    standing = is_open.filter(mine, alike).first() if change.subject else None
    if standing is not None:
        raise Conflict(f"This is already asked in request {standing.number}. Cancel that one to ask anew.")
    since = timezone.now() - AFTER_REJECTION
    if ChangeRequest.objects.filter(mine, alike, state=State.REJECTED, ended_at__gt=since).exists():
        raise Conflict("This was rejected less than an hour ago. Speak to who rejected it, then ask again later.")


def _save(change: ChangeRequest, need: Need, facts: Facts) -> None:
    policy = policy_of(facts.policies, registry.get(change.operation).workflow)
    hours = policy.open_hours if policy else DEFAULT_OPEN_HOURS
    highest = ChangeRequest.objects.filter(organization=change.organization).aggregate(Max("number"))["number__max"]
    # The history's lock is held, so two requests cannot take the same number.
    change.number = (highest or 0) + 1
    change.approvals_required = need.approvals
    change.created_at = timezone.now()
    change.expires_at = change.created_at + timedelta(hours=hours)
    change.remind_at = mail.remind_at(change)
    change.digest = payload.digest(change)
    change.save()


def _run(change: ChangeRequest, entry: Operation[Any], facts: Facts) -> None:
    """Carry it out as a later yes would: from what is stored, not from what was passed."""
    transitions.perform(change, entry, payload.decode(entry.params, change.params), facts)


def _try_out(change: ChangeRequest, entry: Operation[Any], facts: Facts) -> None:
    """Run once and take it back: what could not be carried out, or would be a dead end, is refused now (P5)."""
    if not entry.shifts_power:
        return
    try:
        with transaction.atomic():
            _run(change, entry, facts)
            raise _Undo
    except _Undo:
        return
