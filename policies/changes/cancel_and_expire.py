"""Ending a request that nobody will finish: cancelled by its own side, or expired by time."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from policies import notes, readability
from policies.changes import staleness, transitions
from policies.changes.decisions import execute, initiator_lack
from policies.changes.underway import can_be_stopped, settled
from policies.models import OPEN_STATES, ChangeRequest, State
from policies.rules import Facts
from policies.snapshot import asking, bot, gather
from portal.audit.record import lock_history
from portal.core import actors
from portal.core.actors import Actor
from portal.core.errors import Conflict, DomainError, Refused
from portal.jobs.isolated_loop import each

if TYPE_CHECKING:
    from accounts.models import ApiKey, Member, ServiceUser


def cancel(reference: str, *, actor: Actor, reason: str = "") -> ChangeRequest:
    """Take a request back: by who asked, or for a key's request by a custodian of that key (R5).

    Raises: NotFound outside the actor's Organization; Refused for anybody else; Conflict if it is no longer pending.
    An expiry found on the way, or that it cannot be read, is kept although it raises.
    """
    reason = notes.clean(reason, field="reason")
    with transaction.atomic():
        change = transitions.locked(reference, organization_id=actor.organization_id)
        if not may_cancel(change, actor, gather(change.organization, [change])):
            raise Refused("Only who asked can cancel this request, or a custodian of the key that asked.")
        expired = change.is_past_its_time
        if expired:
            transitions.expire_now(change)
        elif change.state != State.PENDING and not can_be_stopped(change):
            raise Conflict(f"This request is already {State(change.state).label.lower()}.")
        else:
            transitions.end(change, State.CANCELLED, by=actor, reason=reason)
    if change.state == State.FAILED:
        raise Conflict(change.reason)
    if expired:
        raise Conflict("This request has expired already.")
    return change


def may_cancel(change: ChangeRequest, actor: Actor, facts: Facts) -> bool:
    """Whether `actor` belongs to the side that asked."""
    if actor.kind == actors.SERVICE_USER:
        return change.service_user_id == actor.pk
    if actor.kind != actors.MEMBER:
        return False
    if change.member_id is not None:
        return change.member_id == actor.pk
    asker = bot(facts, change.service_user_id)
    return asker is not None and cast("Member", actor).user_id in asker.through(change.api_key_id).custodians


def cancel_all(
    *,
    initiator: "Member | ServiceUser | None" = None,
    api_key: "ApiKey | None" = None,
    reason: str,
    actor: Actor,
) -> int:
    """Cancel all that `initiator`, or `api_key`, has waiting, and say how much that was; for emergency stops (R5).

    Runs in the caller's transaction. Of an approved one the outcome is asked first; while nobody can say, it is left to
    `execute`, which asks again.
    """
    if (initiator is None) == (api_key is None):
        raise TypeError("cancel_all takes an initiator or a key.")
    with transaction.atomic():
        lock_history(actor.organization_id)
        rows = ChangeRequest.objects.filter(state__in=OPEN_STATES).order_by("pk")
        if api_key is not None:
            rows = rows.filter(api_key=api_key)
        elif initiator is not None and initiator.kind == actors.MEMBER:
            rows = rows.filter(member_id=initiator.pk)
        elif initiator is not None:
            rows = rows.filter(service_user_id=initiator.pk)

        def end(change: ChangeRequest) -> int:
            return _cancel_open(change, by=actor, reason=reason)

        return transitions.each_apart(rows.with_parties().for_change(), end, what="cancel a request")


def cancel_about(member: "Member", *, but: ChangeRequest, reason: str, actor: Actor) -> int:
    """Cancel all that waits about `member`, whoever asked, except `but`, and say how much that was.

    For a membership that ends, in the caller's transaction, which has written that already: a request that names it
    among its fields is left to go stale (R6).
    """
    lock_history(actor.organization_id)
    rows = ChangeRequest.objects.filter(state__in=OPEN_STATES, subject_member_id=member.pk).exclude(pk=but.pk)

    def end(change: ChangeRequest) -> int:
        read = readability.read(change)
        if not isinstance(read, str) and staleness.overtaken(change, read.entry, read.params):
            return 0
        return _cancel_open(change, by=actor, reason=reason)

    return transitions.each_apart(rows.order_by("pk").with_parties().for_change(), end, what="cancel a request")


def cancel_unrightful(*, initiator: "Member", actor: Actor) -> int:
    """Cancel what `initiator` has waiting and may no longer ask for, and say how much that was (R5).

    Runs in the caller's transaction, after the rights have changed.
    """
    with transaction.atomic():
        lock_history(actor.organization_id)
        rows = ChangeRequest.objects.filter(state__in=OPEN_STATES, member_id=initiator.pk).order_by("pk")
        waiting = list(rows.with_parties().for_change())
        facts = gather(initiator.organization, waiting)

        def end(change: ChangeRequest) -> int:
            read = readability.read(change)
            if isinstance(read, str):
                return _cancel_open(change, by=actor, reason=read)
            lack = initiator_lack(change, asking(read.entry, change, facts, read.params))
            return _cancel_open(change, by=actor, reason=lack) if lack else 0

        return transitions.each_apart(waiting, end, what="cancel a request")


def _cancel_open(change: ChangeRequest, *, by: Actor, reason: str) -> int:
    if change.is_past_its_time:
        transitions.expire_now(change)
        return 0
    # What was approved may have been done already. An altered one stays as it is, for whoever looks into it.
    if change.state == State.APPROVED and (not transitions.is_intact(change) or settled(change) is not False):
        return 0
    transitions.end(change, State.CANCELLED, by=by, reason=reason)
    return 1


def expire(reference: str) -> ChangeRequest:
    """Write that a request is past its time. Asking this of one that has already ended changes nothing.

    Raises: NotFound; Conflict if its time is not up.
    """
    with transaction.atomic():
        change = transitions.locked(reference)
        if change.is_past_its_time:
            transitions.expire_now(change)
        elif change.state == State.PENDING:
            raise Conflict("This request is still within its time.")
    return change


def expire_due() -> int:
    """Expire everything that is past its time, each in its own transaction, and say how much that was."""
    due = ChangeRequest.objects.filter(state=State.PENDING, expires_at__lte=timezone.now()).order_by("pk")
    references = list(due.values_list("reference", flat=True))

    def expired(reference: str) -> int:
        try:
            return expire(reference).state == State.EXPIRED
        except transitions.LeftToLater:
            return 0

    return each(references, expired, what="expire a request")


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """How it went with those whose outcome was not known: how many, how many are done, and what the others met."""

    asked: int
    executed: int
    errors: dict[str, str]


def ask_unknown_again() -> AskedAgain:
    """Ask again, under the same references, for what is approved and not known to be done (R8)."""
    due = Q(ready_at=None) | Q(ready_at__lte=timezone.now())
    waiting = ChangeRequest.objects.filter(due, state=State.APPROVED).order_by("pk")
    references = list(waiting.values_list("reference", flat=True))
    errors: dict[str, str] = {}

    def ask(reference: str) -> int:
        try:
            return execute(reference).state == State.EXECUTED
        except DomainError as error:
            errors[reference] = error.message
            return 0

    executed = each(references, ask, what="ask again how an approved request went")
    return AskedAgain(len(references), executed, errors)
