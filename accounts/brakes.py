"""Brakes: they take power away, so they never wait and nothing governs them (DESIGN §4)."""

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from accounts import keys, sessions
from accounts.models import ApiKey, Member, ServiceUser
from policies import access, changes
from policies.facts import gather, initiator
from policies.rules import Asked, approvals_needed, eligible
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.audit.record import lock_history, record
from portal.core.errors import Conflict, NotFound, Refused

NOT_AGAIN_WITHIN: Final = timedelta(days=7)


@transaction.atomic
def revoke_key(*, actor: Member, api_key: ApiKey) -> None:
    """End a key for ever, at once; what it asked for is cancelled and holds are given back.

    Raises: Refused without Initiate on Manage Access; NotFound for a key of another Organization; Conflict if it had
    ended before.
    """
    lock_history(actor.organization_id)
    _allow(actor)
    key = ApiKey.objects.filter(pk=api_key.pk, service_user__organization_id=actor.organization_id).first()
    if key is None:
        raise NotFound("There is no such key.")
    if key.revoked_at is not None:
        raise Conflict("This key is revoked already.")
    changes.cancel_all(api_key=key, reason=f"The key {key.short} was revoked.", actor=actor)
    keys.revoke(key, at=timezone.now())
    record(
        EventKind.KEY_REVOKED,
        actor=actor,
        subject=key,
        workflow=Workflow.MANAGE_ACCESS,
        bot=key.service_user.name,
    )


@transaction.atomic
def end_overlap(*, actor: Member, api_key: ApiKey) -> None:
    """End a key that is rotating out now instead of later. What it asked for stays open: it was not revoked (R5).

    Raises: Refused without Initiate on Manage Access; NotFound for a key of another Organization; Conflict if it is
    not rotating out, or has stopped already.
    """
    lock_history(actor.organization_id)
    _allow(actor)
    held = ApiKey.objects.select_related("service_user").filter(service_user__organization_id=actor.organization_id)
    key = held.filter(pk=api_key.pk).first()
    if key is None:
        raise NotFound("There is no such key.")
    if key.is_over:
        raise Conflict("This key has stopped already.")
    if key.retires_at is None:
        raise Conflict("No new key replaces this one. Revoke it if it has to stop.")
    keys.retire(held.filter(pk=key.pk), at=timezone.now())
    record(
        EventKind.KEY_OVERLAP_ENDED,
        actor=actor,
        subject=key,
        workflow=Workflow.MANAGE_ACCESS,
        bot=key.service_user.name,
    )


@transaction.atomic
def suspend_service_user(*, actor: Member, service_user: ServiceUser) -> None:
    """Stop a bot at once, with all its keys; what it asked for is cancelled and holds are given back.

    Raises: Refused without Initiate on Manage Access; NotFound for a bot of another Organization; Conflict if it is
    suspended already.
    """
    lock_history(actor.organization_id)
    _allow(actor)
    bots = ServiceUser.objects.filter(organization_id=actor.organization_id, removed_at=None)
    if not bots.filter(pk=service_user.pk).exists():
        raise NotFound("There is no such service user.")
    changes.cancel_all(initiator=service_user, reason=f"{service_user.name} was suspended.", actor=actor)
    bot = bots.select_for_update().get(pk=service_user.pk)
    if bot.suspended_at is not None:
        raise Conflict(f"{bot.name} is suspended already.")
    bot.suspended_at = timezone.now()
    bot.version += 1
    bot.save(update_fields=["suspended_at", "version"])
    keys.touch(bot)
    record(EventKind.SERVICE_USER_SUSPENDED, actor=actor, subject=bot, workflow=Workflow.MANAGE_ACCESS)


@transaction.atomic
def suspend_member(*, actor: Member, member: Member) -> None:
    """Stop a person at once: their sessions end, and what they asked for is cancelled (DESIGN §4).

    Who pulls it has one running at a time, not of the same Member within seven days, and never one that leaves too few
    approvers beside them to lift it.

    Raises: Refused for any of that, for oneself, or without Initiate on Manage Access; NotFound for a Member of
    another Organization; Conflict if they are suspended already.
    """
    lock_history(actor.organization_id)
    _allow(actor)
    members = Member.objects.filter(organization_id=actor.organization_id, removed_at=None)
    if not members.filter(pk=member.pk).exists():
        raise NotFound("There is no such member.")
    changes.cancel_all(initiator=member, reason=f"{member.label} was suspended.", actor=actor)
    locked = members.select_for_update(of=("self",)).select_related("user", "organization").get(pk=member.pk)
    if locked.suspended_at is not None:
        raise Conflict(f"{locked.label} is suspended already.")
    _refuse_excess(actor, locked)
    locked.suspended_at, locked.suspended_by = timezone.now(), actor
    locked.version += 1
    locked.save(update_fields=["suspended_at", "suspended_by", "version"])
    record(EventKind.MEMBER_SUSPENDED, actor=actor, subject=locked, workflow=Workflow.MANAGE_ACCESS)
    sessions.end_member(locked, reason="The member was suspended.")


def _refuse_excess(actor: Member, member: Member) -> None:
    if member.user_id == actor.user_id:
        raise Refused("You cannot suspend yourself. End your other sessions under Security instead.")
    running = Member.objects.filter(suspended_by=actor, suspended_at__isnull=False, removed_at=None).first()
    if running is not None:
        raise Refused(
            f"Your suspension of {running.label} is still running, and nobody has two at a time. It has to be lifted "
            "first, or another member suspends them."
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
    facts = gather(actor.organization)
    lifting = Asked(Workflow.MANAGE_ACCESS, initiator(facts, actor), subject=member.user_id)
    able, needed = len(eligible(lifting, facts)), max(1, approvals_needed(lifting, facts.policies).approvals)
    if able < needed:
        raise Refused(
            f"Too few could lift this again: it would take {needed} with Approve on Manage Access beside you and "
            f"{member.label}, and there are {able}."
        )


def _allow(actor: Member) -> None:
    if not access.allows(actor, Workflow.MANAGE_ACCESS, Right.INITIATE):
        raise Refused("You need Initiate on Manage Access for this.")
