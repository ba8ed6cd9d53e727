"""Asking: one row for every governed change, run at once where P2 says so."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from django.db import transaction
from django.utils import timezone

from policies import freezes, notes, payload, registry
from policies.changes import meters, staleness, transitions
from policies.changes.finishing import refuse_unfinishable
from policies.changes.room import TakesMore, make_room
from policies.models import ChangeRequest, State
from policies.models.policy import DEFAULT_OPEN_HOURS
from policies.notifications import mail
from policies.registry import Operation, Run
from policies.rules import (
    Asked,
    Facts,
    Need,
    approvals_needed,
    lost_right,
    policy_of,
)
from policies.snapshot import asking, gather
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.locks import ask_beside_others
from portal.audit.record import appending, lock_histories
from portal.core import actors, call_origin
from portal.core.actors import Actor
from portal.core.database.prepared import fetch
from portal.core.errors import Denied, Invalid, NotFound, Refused
from portal.core.secrets.sealing import token

if TYPE_CHECKING:
    from accounts.models import ApiKey, Member, ServiceUser

P = TypeVar("P")
REFERENCE_LENGTH: Final = 16
TITLE_LENGTH: Final = 200
# Prepared, because everybody else of the Organization waits meanwhile.
NEXT_NUMBER: Final = """
    SELECT COALESCE(MAX(number), 0) + 1 FROM policies_changerequest WHERE organization_id = %(organization)s
"""


DENIED: Final = "A rule of {workflow} denies this, however many agree. The policies page can say which one."
NO_KEY: Final = "A service user asks through a key of its own that is in force."


class _Undo(Exception):
    """Ends a trial run."""


@dataclass(frozen=True, slots=True)
class _Asking(Generic[P]):
    """What is asked, by whom and how, as it was passed."""

    entry: Operation[P]
    params: P
    actor: Actor
    api_key: "ApiKey | None"
    note: str
    asked_again_from: ChangeRequest | None

    @property
    def asker(self) -> str:
        """Of whom only so many requests may be open: the Member, or the key."""
        return f"key {self.api_key.pk}" if self.api_key is not None else f"{self.actor.kind} {self.actor.pk}"


def propose(
    operation: Run[P],
    *,
    actor: Actor,
    params: P,
    api_key: "ApiKey | None" = None,
    note: str = "",
    asked_again_from: ChangeRequest | None = None,
    answered: Callable[[], ChangeRequest | None] = lambda: None,
) -> ChangeRequest:
    """Ask for `operation`; where nobody else has to agree it has run when this returns, all in one transaction.

    What then goes on outside the database is approved and underway, and `execute` asks how it went.

    What asks for money and waits is asked beside others of the Organization; everything else alone. So a caller whose
    transaction goes on afterwards records nothing in it, unless it holds the history's lock already. `answered` is
    asked first, with that `actor` asking one thing at a time: what it gives is the answer, and nothing is asked.

    Raises: Refused if the actor may not ask, nobody could finish it, or it is frozen; Conflict if it is already asked,
    was rejected within the hour, or too much is open; NotFound for an Account or Member of somebody else; and what the
    operation itself raises. Nothing is written then.
    """
    entry = registry.of(operation)
    asking = _Asking(entry, params, actor, api_key, notes.clean(note, field="note"), asked_again_from)
    if entry.money and actor.organization_id is not None:
        try:
            with transaction.atomic(), ask_beside_others(actor.organization_id, asking.asker):
                return answered() or _ask(asking, alone=False)
        except TakesMore:
            # Nothing was written, and the locks are given back: from the beginning, with nobody beside.
            pass
    with transaction.atomic():
        lock_histories((actor.organization_id, *entry.reaches(params)))
        return answered() or _ask(asking, alone=True)


def _ask(asking: "_Asking[P]", *, alone: bool) -> ChangeRequest:
    """Judge it by what is so now, take hold of what it needs, and write it last: from then on everybody else waits.

    Raises: TakesMore before anything is written, if it takes to be `alone`: it would run now, or end other requests.
    """
    entry, params = asking.entry, asking.params
    asker = _again(asking.actor)
    change = _drafted(asking, asker)
    change.touched = staleness.asked(entry, change, params)
    # What asks for money is judged by its own Account: a bot waits for no more however many others there are.
    facts = gather(asker.organization, [change], bots=entry.shifts_power, every_account=not entry.money)
    asked = _asked(change, entry, params, facts)
    _refuse_strangers(change, entry, asked, facts)
    freezes.refuse(change, entry, params, facts)
    make_room(change, entry, alone=alone)
    need = approvals_needed(asked, facts.policies)
    if need.is_denied:
        raise Denied(DENIED.format(workflow=asked.workflow.title))
    if need.at_once and not alone:
        raise TakesMore
    beside = entry.opened(actor=asker, params=params, change=change) if entry.opened is not None else None
    if not need.at_once:
        if not entry.shifts_power:
            refuse_unfinishable(asked, facts, need)
        mail.opened(change)
    with appending(change.organization_id):
        _save(change, need, facts)
        if beside is not None:
            beside()
        transitions.record_move(EventKind.CHANGE_REQUESTED, change, asker, approvals=need.approvals)
    if need.at_once:
        _finish(change, entry, facts, by=asker)
        if _concerns_others(entry, asked, params, facts):
            mail.done_alone(change)
    elif entry.shifts_power:
        # What it would leave behind is said first: that names the order that works.
        _try_out(change, entry, facts)
        refuse_unfinishable(asked, facts, need)
    return change


def _concerns_others(entry: Operation[P], asked: Asked, params: P, facts: Facts) -> bool:
    """Whether others are told of it although nobody had to agree: it gives power, takes it, or binds who holds it."""
    if entry.tells:
        return False
    takes_access = asked.takes_power and entry.workflow is Workflow.MANAGE_ACCESS
    moves_power = entry.protected(params, facts) or entry.moves_power(params, facts)
    return takes_access or entry.workflow is Workflow.MANAGE_POLICIES or moves_power


def _again(actor: Actor) -> "Member | ServiceUser":
    """The actor; a Member as the database has them now. What either may is looked up among the facts in any case."""
    if actor.kind == actors.SERVICE_USER:
        return cast("ServiceUser", actor)
    if actor.kind != actors.MEMBER:
        raise Refused("Only a member or a service user can ask for this.")
    known = cast("Member", actor)
    return type(known).objects.select_related("organization", "user").get(pk=actor.pk)


def _drafted(asking: "_Asking[P]", asker: "Member | ServiceUser") -> ChangeRequest:
    entry, params = asking.entry, asking.params
    headline = entry.headline(params)
    is_member = asker.kind == actors.MEMBER
    if not is_member and asking.api_key is None:
        raise Refused(NO_KEY)
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
        member=cast("Member", asker) if is_member else None,
        service_user=None if is_member else cast("ServiceUser", asker),
        api_key=None if is_member else asking.api_key,
        initiator_label=asker.label,
        source=call_origin.current().source,
        note=asking.note,
        params=payload.encode(params),
        asked_again_from=asking.asked_again_from,
    )


def _asked(change: ChangeRequest, entry: Operation[P], params: P, facts: Facts) -> Asked:
    if entry.workflow.by_account and change.account_id is None and not (entry.every_account or entry.any_account):
        raise Invalid("Choose an Account.", field="account")
    if change.account_id is not None and change.account_id not in facts.accounts:
        raise NotFound("There is no such Account in this Organization.")
    people = {person.member_id for person in facts.people}
    if change.subject_member_id is not None and change.subject_member_id not in people:
        raise NotFound("There is no such member in this Organization.")
    return asking(entry, change, facts, params)


def _refuse_strangers(change: ChangeRequest, entry: Operation[Any], asked: Asked, facts: Facts) -> None:
    if change.service_user_id is not None and not _is_in_force(change, facts):
        raise Refused(NO_KEY)
    lack = lost_right(
        asked.initiator, asked.workflow, asked.account_id, entry.permission, approvers_ask=entry.approvers_ask
    )
    if lack is not None:
        raise Refused(lack)
    if not all(account_id in facts.accounts for account_id in asked.gives_withdraw):
        raise NotFound("There is no such Account in this Organization.")


def _is_in_force(change: ChangeRequest, facts: Facts) -> bool:
    """Whether the key that asks is the bot's own, and works now."""
    bot = facts.bot(change.service_user_id)
    keys = bot.keys if bot is not None else ()
    return any(key.key_id == change.api_key_id and key.is_live and not key.is_paused for key in keys)


def _save(change: ChangeRequest, need: Need, facts: Facts) -> None:
    policy = policy_of(facts.policies, registry.get(change.operation).workflow)
    hours = policy.open_hours if policy else DEFAULT_OPEN_HOURS
    # The history is held, so that no two requests take the same number, and none is left out.
    [(change.number,)] = fetch(NEXT_NUMBER, {"organization": change.organization_id})
    change.require(need.demand)
    change.created_at = timezone.now()
    change.expires_at = change.created_at + timedelta(hours=hours)
    change.remind_at = mail.remind_at(change)
    change.digest = payload.digest(change)
    change.save()
    meters.asked(change)


def _finish(change: ChangeRequest, entry: Operation[Any], facts: Facts, *, by: Actor) -> None:
    """Carry out what nobody else has to agree to. What is underway stays approved, and is asked later how it went."""
    if _run(change, entry, facts):
        transitions.end(change, State.EXECUTED, by=by)
        staleness.make_others_stale(change)
    else:
        change.state = State.APPROVED
        change.save(update_fields=["state"])


def _run(change: ChangeRequest, entry: Operation[Any], facts: Facts) -> bool:
    """Carry it out as a later yes would: from what is stored, not from what was passed. False if it is underway."""
    return transitions.perform(change, entry, payload.decode(entry.params, change.params), facts)


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
