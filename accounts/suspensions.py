"""Suspending a Member: the brake that one person pulls alone, so it is narrow and ends by itself (DESIGN §4)."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from accounts import sessions
from accounts.models import Member
from accounts.models.member import not_suspended
from policies import access, changes
from policies.facts import gather
from policies.rules import Asked, Facts, Held, Person, approvals_needed, eligible, is_locked, why_not
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.audit.record import lock_history, record
from portal.core.actors import portal
from portal.core.errors import Conflict, NotFound, Refused
from portal.work.each import each

ALONE_FOR: Final = timedelta(hours=72)
NOT_AGAIN_WITHIN: Final = timedelta(days=7)
# Whoever would ask that it is lifted: not the one who pulled the brake, and nobody in particular.
ANYBODY: Final = Person(0, 0, "", grants=frozenset({Held(Workflow.MANAGE_ACCESS, Right.INITIATE)}))


@transaction.atomic
def suspend_member(*, actor: Member, member: Member) -> None:
    """Stop a person at once: their sessions end, and what they asked for is cancelled (DESIGN §4).

    It ends by itself after 72 hours unless another Member confirms it. Who pulls it has one running at a time, not of
    the same Member within seven days, and never one that leaves too few approvers beside them to lift it.

    Raises: Refused for any of that, for oneself, or without Initiate on Manage Access; NotFound for a Member of
    another Organization; Conflict if they are suspended already.
    """
    lock_history(actor.organization_id)
    if not access.allows(actor, Workflow.MANAGE_ACCESS, Right.INITIATE):
        raise Refused("You need Initiate on Manage Access for this.")
    members = Member.objects.filter(organization_id=actor.organization_id, removed_at=None)
    if not members.filter(pk=member.pk).exists():
        raise NotFound("There is no such member.")
    changes.cancel_all(initiator=member, reason=f"{member.label} was suspended.", actor=actor)
    locked = members.select_for_update(of=("self",)).select_related("user", "organization").get(pk=member.pk)
    if locked.is_suspended:
        raise Conflict(f"{locked.label} is suspended already.")
    _refuse_excess(actor, locked)
    _note_lapse(locked)
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
    )
    sessions.end_member(locked, reason="The member was suspended.")


@transaction.atomic
def confirm_suspension(*, actor: Member, member: Member) -> None:
    """Let a suspension that one person pulled last until it is lifted.

    Raises: Refused for who may not, as `bar_to_confirm` says; NotFound for a Member of another Organization; Conflict
    if they are not suspended by one person alone, or not any more.
    """
    lock_history(actor.organization_id)
    members = Member.objects.select_for_update(of=("self",)).select_related("user", "organization", "suspended_by")
    locked = members.filter(organization_id=actor.organization_id, removed_at=None, pk=member.pk).first()
    if locked is None:
        raise NotFound("There is no such member.")
    if not locked.is_suspended:
        raise Conflict(f"{locked.label} is not suspended any more. Suspend them again if they have to stay out.")
    if locked.suspended_until is None:
        raise Conflict(f"The suspension of {locked.label} is confirmed already.")
    bar = bar_to_confirm(locked, actor)
    if bar:
        raise Refused(bar)
    locked.suspended_until = None
    locked.version += 1
    locked.save(update_fields=["suspended_until", "version"])
    record(EventKind.SUSPENSION_CONFIRMED, actor=actor, subject=locked, workflow=Workflow.MANAGE_ACCESS)


def bar_to_confirm(member: Member, reader: Member) -> str:
    """Why `reader` may not confirm the suspension of `member`, to them; empty for another eligible approver."""
    if not member.is_suspended:
        return ""
    facts = gather(reader.organization)
    mine, pulled = facts.person(reader.pk), facts.person(member.suspended_by_id)
    if mine is None:
        return "You are not a member here."
    asked = Asked(Workflow.MANAGE_ACCESS, pulled or ANYBODY, subject=member.user_id)
    if pulled is not None and pulled.user_id == mine.user_id:
        return "You suspended them, so another member has to confirm it."
    reason = why_not(mine, asked, facts.level)
    return f"It takes another member with Approve on Manage Access: {reason.you}." if reason else ""


def record_lapsed() -> int:
    """Write down which suspensions have ended by themselves, and say how many. Only the history waits for it."""
    lapsed = Member.objects.filter(not_suspended(), suspended_at__isnull=False, removed_at=None).order_by("pk")
    rows = list(lapsed.values_list("pk", "organization_id"))
    return each(rows, lambda row: _record_lapse(*row), what="record a suspension that has lapsed")


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


def _refuse_excess(actor: Member, member: Member) -> None:
    if member.user_id == actor.user_id:
        raise Refused("You cannot suspend yourself. End your other sessions under Security instead.")
    # One that another member confirmed is theirs as well.
    alone = Member.objects.exclude(not_suspended()).exclude(suspended_until=None)
    running = alone.filter(suspended_by=actor, removed_at=None).first()
    if running is not None:
        raise Refused(
            f"Your suspension of {running.label} is still running, and nobody has two at a time. It has to be lifted "
            "or confirmed first, or another member suspends them."
        )
    lately = AuditEvent.objects.filter(
        organization_id=actor.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        kind=EventKind.MEMBER_SUSPENDED,
        actor_kind=actor.kind,
        actor_id=actor.pk,
        subject_id=member.pk,
        at__gt=timezone.now() - NOT_AGAIN_WITHIN,
    )
    if lately.exists():
        raise Refused(f"You suspended {member.label} less than seven days ago. Another member has to do it this time.")
    _refuse_unliftable(actor, member, gather(actor.organization))


def _are(number: int) -> str:
    return "is one" if number == 1 else f"are {number or 'none'}"


def _refuse_unliftable(actor: Member, member: Member, facts: Facts) -> None:
    """Never one that leaves too few beside who pulls it to lift it again, by as many as a locked policy asks (P4)."""
    person = facts.person(member.pk)
    protected = person is not None and person.holds_power and is_locked(facts.policies)
    lifting = Asked(Workflow.MANAGE_ACCESS, ANYBODY, subject=member.user_id, protected=protected)
    needed = approvals_needed(lifting, facts.policies).approvals
    rested = replace(facts, people=tuple(replace(one, is_resting=False) for one in facts.people))
    able = [one for one in eligible(lifting, rested) if one.user_id != actor.user_id]
    if len(able) < needed:
        raise Refused(
            f"Too few could lift this again: it would take {needed} with Approve on Manage Access beside you and "
            f"{member.label}, and there {_are(len(able))}."
        )
