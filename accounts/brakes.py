"""Brakes: they take power away, so they never wait and nothing governs them (DESIGN §4)."""

from django.db import transaction
from django.utils import timezone

from accounts import keys
from accounts.models import ApiKey, Member, ServiceUser
from accounts.suspensions import bar_to_suspend, suspend_member
from policies import access, changes
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import lock_history, record
from portal.core.errors import Conflict, NotFound, Refused

__all__ = [
    "bar_to_suspend",
    "end_overlap",
    "revoke_key",
    "suspend_member",
    "suspend_service_user",
]


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


def _allow(actor: Member) -> None:
    if not access.allows(actor, Workflow.MANAGE_ACCESS, Right.INITIATE):
        raise Refused("You need Initiate on Manage Access for this.")
