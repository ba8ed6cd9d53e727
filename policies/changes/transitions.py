"""The moves themselves: locking a request, running its operation, ending it. Used by the rest of this package only."""

import hmac
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar, cast

from django.db import transaction
from django.utils import timezone

from policies import payload, readability, registry
from policies.changes import meters
from policies.models import ChangeRequest, State
from policies.notifications import mail
from policies.registry import Operation, Underway
from policies.rules import Facts
from policies.rules.dead_ends import refuse_grown
from policies.snapshot import gather
from portal.audit.kinds import EventKind
from portal.audit.record import Outcome, lock_histories, record
from portal.core.actors import MEMBER, Actor, portal
from portal.core.errors import Conflict, NotFound
from portal.core.observing.spans import span
from portal.jobs.isolated_loop import each

if TYPE_CHECKING:
    from accounts.models import Member

P = TypeVar("P")
UNKNOWN = "There is no such request in this Organization."
ENDINGS: dict[State, tuple[EventKind, Outcome]] = {
    State.EXECUTED: (EventKind.CHANGE_EXECUTED, "success"),
    State.FAILED: (EventKind.CHANGE_FAILED, "failed"),
    State.REJECTED: (EventKind.CHANGE_REJECTED, "success"),
    State.CANCELLED: (EventKind.CHANGE_CANCELLED, "success"),
    State.EXPIRED: (EventKind.CHANGE_EXPIRED, "success"),
    State.STALE: (EventKind.CHANGE_STALE, "success"),
}
REASON_LENGTH = 500


class LeftToLater(Conflict):
    """A later release knows what was asked and this one does not: nothing is written."""


UNFINISHED = "Nobody finished it in time."


def locked(reference: str, *, organization_id: int | None = None) -> ChangeRequest:
    """The request under its locks, as the database has it now; only of `organization_id`, when given.

    Raises: NotFound.
    """
    rows = ChangeRequest.objects.filter(reference=reference)
    if organization_id is not None:
        rows = rows.filter(organization_id=organization_id)
    found = rows.values_list("organization_id", "operation", "params").first()
    if found is None:
        raise NotFound(UNKNOWN)
    owner_id, operation, params = found
    lock_histories((owner_id, *_reached(operation, params)))
    change: ChangeRequest = rows.with_parties().for_change().get()
    return change


def is_intact(change: ChangeRequest) -> bool:
    """Whether the row is still what was asked and agreed to (security CR-1)."""
    return hmac.compare_digest(payload.digest(change), change.digest)


def refuse_altered(change: ChangeRequest, by: Actor) -> None:
    """Record that a request was found altered. It stays as it is, for whoever looks into it."""
    _record(EventKind.CHANGE_REFUSED, change, by, outcome="refused", reason="the stored request was altered")


def refuse_unrecorded(change: ChangeRequest, by: Actor, count: int) -> None:
    """Record that approvals were found which nobody gave: rows without their events."""
    reason = f"{count} approvals are in no history"
    _record(EventKind.CHANGE_REFUSED, change, by, outcome="refused", reason=reason)


def record_refusal(change: ChangeRequest, by: Actor, reason: str) -> None:
    """Record that somebody wanted to decide who may not, or not so: nothing of their Decision is kept but this."""
    record(
        EventKind.ACCESS_DENIED,
        actor=by,
        subject=change,
        workflow=change.workflow,
        account_id=change.account_id,
        outcome="refused",
        reason=reason,
    )


def perform(change: ChangeRequest, operation: Operation[P], params: P, before: Facts) -> bool:
    """Run the operation inside the caller's transaction and see that it leaves no dead end (P5).

    `params` are those that the request stores, `before` what holds under the caller's lock. False if it has only
    begun, and how it goes outside the database is asked later.

    Raises: whatever DomainError the operation raises; Refused for a shortage that appears or grows.
    """
    with span("decision", {"countersign.operation": change.operation}):
        answer = operation.run(actor=change.initiator, params=params, change=change)
    if operation.shifts_power:
        refuse_grown(before, gather(change.organization, bots=True))
    return not isinstance(answer, Underway)


def end(change: ChangeRequest, state: State, *, by: Actor, reason: str = "") -> None:
    """Write a final state, its event, and give back what was held unless the request was executed.

    What this version cannot read has failed, whatever else would have ended it, and says so (R5).

    Raises: LeftToLater where a node of a later release is there to do it.
    """
    if readability.is_left_to_later(change):
        raise LeftToLater(readability.LEFT)
    trouble = readability.trouble(change) if is_intact(change) and state != State.EXECUTED else ""
    if trouble:
        state, reason = State.FAILED, trouble
    change.state = state
    change.ended_at = timezone.now()
    change.ended_by = by.label
    change.reason = reason[:REASON_LENGTH]
    change.save(update_fields=["state", "ended_at", "ended_by", "reason"])
    meters.ended(change)
    kind, outcome = ENDINGS[state]
    _record(kind, change, by, outcome=outcome, **({"reason": change.reason} if reason else {}))
    if state != State.EXECUTED:
        _give_back(change, by)
    mail.ended(change, by_user=cast("Member", by).user_id if by.kind == MEMBER else None)


def expire_now(change: ChangeRequest) -> int:
    """Write what time alone has already decided."""
    end(change, State.EXPIRED, by=portal(change.organization_id), reason=_unfinished(change) or UNFINISHED)
    return 1


def each_apart(changes: Iterable[ChangeRequest], move: Callable[[ChangeRequest], int], *, what: str) -> int:
    """Move each within the caller's transaction, in a savepoint of its own: one that fails stops none of the others."""

    def moved(change: ChangeRequest) -> int:
        try:
            with transaction.atomic():
                return move(change)
        except LeftToLater:
            return 0

    return each(changes, moved, what=what)


def record_move(kind: EventKind, change: ChangeRequest, by: Actor, **data: object) -> None:
    """One event about `change`, success."""
    _record(kind, change, by, outcome="success", **data)


def _reached(key: str, stored: object) -> tuple[int, ...]:
    """The other Organizations whose histories carrying it out would write."""
    try:
        operation = registry.get(key)
        return operation.reaches(payload.decode(operation.params, stored))
    except (registry.Unregistered, payload.Unreadable):
        # It cannot run; whoever moves it is told so.
        return ()


def _unfinished(change: ChangeRequest) -> str:
    """Why it expired, where its operation has more to say of that; of what nobody can read nothing is believed."""
    if not is_intact(change) or readability.trouble(change):
        return ""
    return registry.get(change.operation).unfinished(change)


def _give_back(change: ChangeRequest, by: Actor) -> None:
    try:
        ended = registry.get(change.operation).ended
    except registry.Unregistered:
        return
    if ended is None:
        return
    if not is_intact(change):
        # Whoever altered it may have altered more. The hold stays, and the history says why.
        refuse_altered(change, by)
        return
    ended(change=change)


def _record(kind: EventKind, change: ChangeRequest, by: Actor, *, outcome: Outcome, **data: object) -> None:
    record(
        kind,
        actor=by,
        subject=change,
        organization_id=change.organization_id,
        workflow=change.workflow,
        account_id=change.account_id,
        outcome=outcome,
        reference=change.reference,
        operation=change.operation,
        digest=change.digest,
        **data,
    )
