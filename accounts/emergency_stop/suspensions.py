"""Suspending a Member: the stop that one person pulls alone, so it is narrow and ends by itself (DESIGN §4)."""

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.authentication import session_store
from accounts.emergency_stop import notifications
from accounts.members import invitations
from accounts.models import Member
from accounts.models.member import not_suspended
from accounts.organizations import ownership
from policies import access, changes
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.audit.record import lock_history, record
from portal.core.actors import portal
from portal.core.errors import Conflict, NotFound, Refused

ALONE_FOR: Final = timedelta(hours=72)
NOT_AGAIN_WITHIN: Final = timedelta(days=7)


@transaction.atomic
def suspend_member(*, actor: Member, member: Member, reason: str) -> None:
    """Stop a person at once: their sessions end, and what they asked for is cancelled (DESIGN §4).

    It ends by itself after 72 hours, whatever it leaves meanwhile. Who pulls it has one running at a time, not of the
    same Member within seven days. To keep somebody out longer is a request: `accounts.emergency_stop.keep_out`.

    Raises: Refused for any of that, for oneself, or without Initiate on Manage Access; NotFound for a Member of
    another Organization; Conflict if they are suspended already; Invalid without a reason.
    """
    reason = notifications.why(reason)
    lock_history(actor.organization_id)
    access.require(actor, Workflow.MANAGE_ACCESS, Right.INITIATE)
    members = Member.objects.filter(organization_id=actor.organization_id, removed_at=None)
    if not members.filter(pk=member.pk).exists():
        raise NotFound("There is no such member.")
    changes.cancel_all(initiator=member, reason=f"{member.label} was suspended.", actor=actor)
    locked = members.select_for_update(of=("self",)).select_related("user", "organization").get(pk=member.pk)
    if locked.is_suspended:
        raise Conflict(f"{locked.label} is suspended already.")
    bar = bar_to_suspend(locked, actor)
    if bar:
        raise Refused(bar)
    _note_lapse(locked)
    for lapsed in _lapsed().filter(suspended_by=actor).values_list("pk", flat=True):
        # What is over gives the one place back that the database keeps for each puller.
        _record_lapse(lapsed, actor.organization_id)
    now = timezone.now()
    locked.suspended_at, locked.suspended_by, locked.suspended_until = now, actor, now + ALONE_FOR
    locked.version += 1
    locked.save(update_fields=["suspended_at", "suspended_by", "suspended_until", "version"])
    record(
        EventKind.MEMBER_SUSPENDED,
        actor=actor,
        subject=locked,
        workflow=Workflow.MANAGE_ACCESS,
        until=locked.suspended_until,
        reason=reason,
    )
    invitations.end_of(locked, actor=actor, reason=f"{locked.label}, who invited them, was suspended.")
    ownership.end_offer_by(locked)
    session_store.end_member(locked, reason="The member was suspended.")
    notifications.tell_suspended(locked, by=actor, reason=reason)
    notifications.tell(actor, did=f"suspended {locked.label}", reason=reason, stopped=locked)


def bar_to_suspend(member: Member, actor: Member) -> str:
    """Why `actor` may not suspend `member` alone now, to them; empty where they may."""
    if member.user_id == actor.user_id:
        return "You cannot suspend yourself. End your other sessions under Security instead."
    alone = Member.objects.exclude(not_suspended()).exclude(suspended_until=None)
    running = alone.filter(suspended_by=actor, removed_at=None).first()
    if running is not None:
        return (
            f"Your suspension of {running.label} is still running, and nobody has two at a time. It has to be lifted "
            "first, or end; or another member suspends them. To keep somebody out longer, ask for that."
        )
    lately = AuditEvent.objects.filter(
        organization_id=actor.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        kind=EventKind.MEMBER_SUSPENDED,
        actor_kind=actor.kind,
        actor_id=actor.pk,
        subject_kind=member.kind,
        subject_id=member.pk,
        at__gt=timezone.now() - NOT_AGAIN_WITHIN,
    )
    if lately.exists():
        return (
            f"You suspended {member.label} less than seven days ago. Another member has to do it this time, or you ask "
            "that they are kept out."
        )
    return ""


def record_lapsed() -> int:
    """Write down which suspensions have ended by themselves, and say how many. Only the history waits for it."""
    lapsed = _lapsed().order_by("pk")
    return sum(
        _record_lapse(pk, organization_id) for pk, organization_id in lapsed.values_list("pk", "organization_id")
    )


def _lapsed() -> QuerySet[Member]:
    found: QuerySet[Member] = Member.objects.filter(not_suspended(), suspended_at__isnull=False, removed_at=None)
    return found


@transaction.atomic
def _record_lapse(member_id: int, organization_id: int) -> bool:
    lock_history(organization_id)
    members = Member.objects.select_for_update(of=("self",)).select_related("user", "organization")
    member = members.get(pk=member_id)
    if not _note_lapse(member):
        return False
    member.suspended_at = member.suspended_by = member.suspended_until = None
    member.version += 1
    member.save(update_fields=["suspended_at", "suspended_by", "suspended_until", "version"])
    return True


def _note_lapse(member: Member) -> bool:
    if member.suspended_at is None or member.is_suspended:
        return False
    record(
        EventKind.SUSPENSION_LAPSED,
        actor=portal(member.organization_id),
        subject=member,
        workflow=Workflow.MANAGE_ACCESS,
        ended=member.suspended_until,
    )
    return True
