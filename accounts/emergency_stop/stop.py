"""Emergency stops: they take power away, so they never wait and nothing governs them (DESIGN §4).

Each asks for a reason, which whoever is concerned reads, and raises Invalid where none is given.
"""

from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.api_keys import lifecycle
from accounts.emergency_stop import notifications
from accounts.emergency_stop.suspensions import bar_to_suspend, suspend_member
from accounts.models import ApiKey, Member, ServiceUser
from policies import access, changes
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import lock_history, record
from portal.core.errors import Conflict, NotFound, Refused

__all__ = [
    "bar_to_suspend",
    "end_overlap",
    "pause_key",
    "revoke_key",
    "suspend_member",
    "suspend_service_user",
]


@transaction.atomic
def revoke_key(*, actor: Member, api_key: ApiKey, reason: str) -> None:
    """End a key for ever, at once, by one of its custodians; what it asked for is cancelled, holds are given back.

    Raises: Refused for anybody else, who pauses it or asks for it, or without Initiate on Manage Access; NotFound for
    a key of another Organization; Conflict if it had ended before.
    """
    reason = notifications.why(reason)
    key = _key(actor, api_key)
    if key.revoked_at is not None:
        raise Conflict("This key is revoked already.")
    if not lifecycle.is_custodian(key, actor):
        raise Refused("Only its custodians revoke a key for good at once. Pause it, or ask that it is revoked.")
    changes.cancel_all(api_key=key, reason=f"The key {key.short} was revoked.", actor=actor)
    lifecycle.revoke(key, at=timezone.now())
    _record(EventKind.KEY_REVOKED, actor, key, reason, bot=key.service_user.name)
    _tell(actor, f"revoked the key {key.short} of {key.service_user.name}", reason)


@transaction.atomic
def pause_key(*, actor: Member, api_key: ApiKey, reason: str) -> None:
    """Stop a key at once until that is lifted; what it asked for is cancelled and holds are given back.

    Raises: Refused without Initiate on Manage Access; NotFound for a key of another Organization; Conflict if it has
    ended, or is paused already.
    """
    reason = notifications.why(reason)
    key = _key(actor, api_key)
    if key.is_over:
        raise Conflict("This key has stopped already.")
    changes.cancel_all(api_key=key, reason=f"The key {key.short} was paused.", actor=actor)
    if not lifecycle.pause(key, by=actor, at=timezone.now()):
        raise Conflict("This key is paused already.")
    _record(EventKind.KEY_PAUSED, actor, key, reason, bot=key.service_user.name)
    _tell(actor, f"paused the key {key.short} of {key.service_user.name}", reason)


@transaction.atomic
def end_overlap(*, actor: Member, api_key: ApiKey, reason: str) -> None:
    """End a key that is rotating out now instead of later. What it asked for stays open: it was not revoked (R5).

    That is for good, so it is for the custodians of the key, or of the one that replaces it.

    Raises: Refused for anybody else, or without Initiate on Manage Access; NotFound for a key of another
    Organization; Conflict if it is not rotating out, or has stopped already.
    """
    reason = notifications.why(reason)
    key = _key(actor, api_key)
    if key.is_over:
        raise Conflict("This key has stopped already.")
    if key.retires_at is None:
        raise Conflict("No new key replaces this one. Revoke it if it has to stop.")
    if not any(lifecycle.is_custodian(one, actor) for one in (key, *lifecycle.others(key))):
        raise Refused("Only custodians end a key early for good. Pause it, or ask that it is revoked.")
    lifecycle.retire(ApiKey.objects.filter(pk=key.pk), at=timezone.now())
    _record(EventKind.KEY_OVERLAP_ENDED, actor, key, reason, bot=key.service_user.name)
    _tell(actor, f"stopped the key {key.short} of {key.service_user.name}, which was rotating out,", reason)


@transaction.atomic
def suspend_service_user(*, actor: Member, service_user: ServiceUser, reason: str) -> None:
    """Stop a bot at once, with all its keys; what it asked for is cancelled and holds are given back.

    Raises: Refused without Initiate on Manage Access; NotFound for a bot of another Organization; Conflict if it is
    suspended already.
    """
    reason = notifications.why(reason)
    lock_history(actor.organization_id)
    _allow(actor)
    bots = ServiceUser.objects.filter(organization_id=actor.organization_id, removed_at=None)
    if not bots.filter(pk=service_user.pk).exists():
        raise NotFound("There is no such service user.")
    changes.cancel_all(initiator=service_user, reason=f"{service_user.name} was suspended.", actor=actor)
    bot = bots.select_for_update().get(pk=service_user.pk)
    if bot.suspended_at is not None:
        raise Conflict(f"{bot.name} is suspended already.")
    bot.suspended_at, bot.suspended_by = timezone.now(), actor
    bot.version += 1
    bot.save(update_fields=["suspended_at", "suspended_by", "version"])
    lifecycle.touch(bot)
    _record(EventKind.SERVICE_USER_SUSPENDED, actor, bot, reason)
    _tell(actor, f"suspended the service user {bot.name}", reason)


def _key(actor: Member, api_key: ApiKey) -> ApiKey:
    lock_history(actor.organization_id)
    _allow(actor)
    held = ApiKey.objects.select_related("service_user", "made_by")
    key = held.filter(pk=api_key.pk, service_user__organization_id=actor.organization_id).first()
    if key is None:
        raise NotFound("There is no such key.")
    return key


def _record(kind: EventKind, actor: Member, subject: ApiKey | ServiceUser, reason: str, **data: Any) -> None:
    record(kind, actor=actor, subject=subject, workflow=Workflow.MANAGE_ACCESS, reason=reason, **data)


def _tell(actor: Member, did: str, reason: str) -> None:
    notifications.tell(actor, did=did, reason=reason)


def _allow(actor: Member) -> None:
    access.require(actor, Workflow.MANAGE_ACCESS, Right.INITIATE)
