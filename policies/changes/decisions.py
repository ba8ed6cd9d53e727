"""Saying yes or no, and carrying out what enough people have agreed to."""

import hmac
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from policies import notes, registry
from policies import snapshot as gathering
from policies.changes import case as cases
from policies.changes import delays, meters, staleness, transitions
from policies.changes.case import Case, Unfit
from policies.changes.recorded_decisions import approvers, recorded
from policies.changes.underway import can_be_stopped, settled
from policies.models import ChangeRequest, Decision, State
from policies.notifications import mail
from policies.rules import (
    Asked,
    Need,
    approvals_needed,
    is_met,
    is_rejected,
    lost_right,
    still_needed,
    why_not,
)
from portal.audit.kinds import EventKind
from portal.core.actors import Actor, portal
from portal.core.errors import Conflict, DomainError, Invalid, Refused, Unavailable
from portal.core.web.http import Proof

if TYPE_CHECKING:
    from accounts.models import Member

DENIED_NOW = "A rule denies this by now, however many agree. It can be rejected, or taken back."
ALTERED = "The stored request is not what was asked any more. It does not go through; tell the operator."


def decide(
    reference: str, *, member: "Member", approved: bool, digest: str, proof: Proof | None, reason: str = ""
) -> ChangeRequest:
    """Record the yes or no of `member`, who saw `digest`; the last yes carries the request out, one no ends it.

    What only takes power away ends once too few are left to approve it (R5).

    Raises: NotFound outside the member's Organization; Conflict if the request is closed, past its time, changed, or
    decided by this person; Refused if they may not decide or showed no second factor; Invalid without a reason to
    reject. An expiry, a cancellation or an alteration found on the way is kept although it raises, and so is the event
    that this person was refused.
    """
    reason = notes.clean(reason, field="reason")
    with transaction.atomic(durable=True):
        change = transitions.locked(reference, organization_id=member.organization_id)
        found: DomainError | Case | None = _closed(change, approved=approved) or _standing(change, by=member)
        if isinstance(found, Case):
            found = _take(found, member, approved=approved, digest=digest, proof=proof, reason=reason)
    if isinstance(found, DomainError):
        raise found
    return change


def execute(reference: str) -> ChangeRequest:
    """Ask again for what is approved but not known to be done. Exactly one of any number of callers runs it.

    How it went is asked first: what is done is executed, and what has failed for certain ends so, whatever became of
    people or policies meanwhile. What is not done is cancelled if its initiator may no longer ask, and goes back to
    waiting if approvals no longer suffice.

    What waits for its time stays as it is until then.

    Raises: NotFound; Conflict if it is not approved, cannot be read, is stale, or its initiator may no longer ask;
    Refused if it was altered, or a policy that counts here cannot be read.
    """
    with transaction.atomic():
        change = transitions.locked(reference)
        if change.state != State.APPROVED:
            raise Conflict(f"This request is {State(change.state).label.lower()}; there is nothing to carry out.")
        if transitions.is_intact(change) and settled(change) is not False:
            return change
        by = portal(change.organization_id)
        found = _standing(change, by=by)
        if isinstance(found, Case):
            _advance(found, found.need(), by=by)
    if isinstance(found, DomainError):
        raise found
    return change


def initiator_lack(change: ChangeRequest, asked: Asked) -> str | None:
    """Why whoever asked may no longer ask, or None (R5)."""
    if change.api_key is not None and change.api_key.revoked_at is not None:
        return f"The key of {change.initiator_label} was revoked."
    if change.api_key is not None and change.api_key.paused_at is not None:
        return f"The key of {change.initiator_label} is paused."
    try:
        entry = registry.get(change.operation)
    except registry.Unregistered:
        # That is no lack of theirs: `reading.trouble` says what it is.
        return None
    return lost_right(
        asked.initiator, asked.workflow, asked.account_id, entry.permission, approvers_ask=entry.approvers_ask
    )


def no_longer_stands(change: ChangeRequest) -> str | None:
    """Why a request that was carried out could not be carried out now, for what follows from it later; or None."""
    facts = gathering.gather(change.organization, [change])
    asked = gathering.asked(change, facts)
    if not transitions.is_intact(change):
        return ALTERED
    need = still_needed(change.required, approvals_needed(asked, facts.policies))
    if not is_met(need, approvers(change, asked, facts, recorded(change)), asked):
        return "Who approved it may not approve it any more, or more approvals are needed by now."
    return initiator_lack(change, asked)


def _closed(change: ChangeRequest, *, approved: bool) -> DomainError | None:
    if change.is_past_its_time:
        transitions.expire_now(change)
        expired = change.state == State.EXPIRED
        return Conflict("This request has expired. It can be asked again." if expired else change.reason)
    # One no still ends what everybody else has agreed to: until its time has come (P7), or while it is frozen.
    if change.state == State.PENDING or (not approved and can_be_stopped(change)):
        return None
    state = State(change.state)
    by = f" by {change.ended_by}" if change.ended_by and state in (State.REJECTED, State.CANCELLED) else ""
    raise Conflict(f"This request is already {state.label.lower()}{by}.")


def _standing(change: ChangeRequest, *, by: Actor) -> Case | DomainError:
    """The case of a request that still stands; or what ended or stopped it, whoever decides."""
    found = cases.load(change)
    return _end_unfit(found, by=by) if isinstance(found, Unfit) else _overtaken(found) or found


def _end_unfit(unfit: Unfit, *, by: Actor) -> DomainError:
    """What is altered stays, for whoever looks into it; what this version cannot read has failed."""
    change = unfit.change
    if not unfit.trouble:
        transitions.refuse_altered(change, by)
        return Refused(ALTERED)
    transitions.end(change, State.FAILED, by=portal(change.organization_id), reason=unfit.trouble)
    return Conflict(unfit.trouble)


def _overtaken(case: Case) -> DomainError | None:
    """What ends a request whoever decides: it is not rightful any more, or was overtaken (R6)."""
    change = case.change
    lack = initiator_lack(change, case.asked)
    if lack is not None:
        transitions.end(change, State.CANCELLED, by=portal(change.organization_id), reason=lack)
        return Conflict(f"This request was cancelled. {lack}")
    fields = staleness.overtaken(change, case.entry, case.params)
    if fields:
        staleness.make_stale(change, fields)
        return Conflict(f"This request is stale, and nothing of it was carried out. {change.reason}")
    return None


def _take(
    case: Case, member: "Member", *, approved: bool, digest: str, proof: Proof | None, reason: str
) -> Refused | None:
    """Write the yes or no and do what follows from it; a refusal is written too, and returned to be raised later.

    Raises: Conflict and Invalid as `decide`: one that merely came too late is not worth remembering.
    """
    try:
        shown = _refuse(case, member, digest, proof)
        if approved and (bar := case.barred()):
            raise Refused(bar)
        if not approved and not reason:
            raise Invalid("Say why, so that whoever asked knows what to change.", field="reason")
        need = case.need()
        if approved and need.is_denied:
            raise Refused(DENIED_NOW)
    except Refused as refused:
        transitions.record_refusal(case.change, member, refused.message)
        return refused
    _write(case.change, member, approved=approved, proof=shown, reason=reason)
    if approved:
        _advance(case, need, by=member)
    else:
        _oppose(case, need, by=member, reason=reason)
    return None


def _refuse(case: Case, member: "Member", digest: str, proof: Proof | None) -> Proof:
    change, facts = case.change, case.facts
    person = gathering.person(facts, member.pk)
    bar = why_not(person, case.asked, facts.level) if person else None
    if person is None or bar is not None:
        raise Refused(f"You cannot decide this: {bar.you if bar else 'you are not a member here'}.")
    if change.decisions.filter(person_id=person.user_id).exists():
        raise Conflict("You have already decided this request.")
    if not hmac.compare_digest(digest.encode(), change.digest.encode()):
        raise Conflict("This is not the request as it stands. Read it again before you decide.")
    return _strong(case, proof)


def _strong(case: Case, proof: Proof | None) -> Proof:
    """A second factor of the last minutes; for money one that was shown for this very Decision (SU-1, SU-2)."""
    if proof is None or not proof.is_fresh:
        raise Refused("Show your second factor again to decide.", field="code")
    serves = proof.is_for(case.change.reference, case.change.digest)
    if not serves and (case.entry.money or proof.is_bound):
        raise Refused("Show your second factor for this request; another one does not serve.", field="code")
    return proof


def _write(change: ChangeRequest, member: "Member", *, approved: bool, proof: Proof, reason: str) -> None:
    Decision.objects.create(
        change=change,
        member=member,
        person_id=member.user_id,
        approved=approved,
        reason=reason,
        digest=change.digest,
        factor=proof.factor,
        at=timezone.now(),
    )
    meters.decided(change, approved=approved)
    if approved:
        transitions.record_move(EventKind.CHANGE_APPROVED, change, member, factor=proof.factor)


def _oppose(case: Case, need: Need, *, by: "Member", reason: str) -> None:
    """End the request for this no, or let those who are left decide on what only takes power away (R5)."""
    change = case.change
    against = set(change.decisions.filter(approved=False).values_list("person_id", flat=True))
    if is_rejected(need, against, case.asked, case.facts):
        transitions.end(change, State.REJECTED, by=by, reason=reason)
    else:
        transitions.record_move(EventKind.CHANGE_OPPOSED, change, by, reason=reason)


def _advance(case: Case, need: Need, *, by: Actor) -> None:
    """Carry the request out if it has what it needs and its time has come; if it has no longer, let it wait again."""
    change = case.change
    made = recorded(change)
    counted = approvers(change, case.asked, case.facts, made)
    met = is_met(need, counted, case.asked)
    state = State.APPROVED if met else State.PENDING
    ready = delays.ready_at(change, need, counted, made) if met else None
    if (change.state, change.ready_at) != (state, ready):
        change.state, change.ready_at = state, ready
        change.save(update_fields=["state", "ready_at"])
        if change.is_delayed:
            transitions.record_move(EventKind.CHANGE_DELAYED, change, by, ready_at=ready)
            mail.delayed(change)
    if met and not change.is_delayed:
        _carry_out(case, by=by)


def _carry_out(case: Case, *, by: Actor) -> None:
    """Run an approved request in a savepoint of its own: what goes wrong there leaves FAILED and its decisions.

    While the venue cannot say how it went, the request stays APPROVED and can be asked again. So does one that is only
    underway, whose writing is kept then; and what is frozen, which is not run.
    """
    change = case.change
    if case.frozen():
        return
    try:
        with transaction.atomic():
            is_done = transitions.perform(change, case.entry, case.params, case.facts)
    except Unavailable:
        return
    except DomainError as error:
        transitions.end(change, State.FAILED, by=by, reason=error.message)
    else:
        if is_done:
            transitions.end(change, State.EXECUTED, by=by)
            staleness.make_others_stale(change)
