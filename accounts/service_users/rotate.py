"""Rotating a key: a new one beside the old one, which ends some days after the new one is revealed (DESIGN K5)."""

from dataclasses import replace
from typing import Final

from django.db.models import F

from accounts.api_keys import lifecycle
from accounts.models import ApiKey, ServiceUser
from accounts.request_members import asking_member
from accounts.service_users import descriptions, key_descriptions, stale_fields
from accounts.service_users.create_and_change import find
from accounts.service_users.key_settings import check, limits_of
from accounts.service_users.params import RotateKey
from policies.models import ChangeRequest
from policies.registry import Headline, operation
from policies.rules import lock_protection
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.errors import Conflict, Invalid

LONGEST_OVERLAP_HOURS: Final = 7 * 24


def replaceable(bot: ServiceUser) -> tuple[str, ...]:
    """The short names of the keys that a new one would replace."""
    held = ApiKey.objects.filter(service_user=bot, slot__isnull=False).order_by("pk")
    return tuple(key.short for key in held if not key.is_over)


def check_rotation(*, actor: Actor, params: RotateKey, change: ChangeRequest) -> None:
    """Raises: Invalid beside the field that cannot be; Conflict if the bot is not as it was shown."""
    bot = find(change, params.service_user_id)
    if params.account_id != bot.account_id:
        raise Conflict(f"{bot.name} does not belong to that account.")
    if bot.suspended_at is not None:
        raise Conflict(f"{bot.name} is suspended, so a new key could not be revealed. Lift the suspension first.")
    if limits_of(bot) != params.limits or not set(replaceable(bot)) <= set(params.replaced):
        raise Conflict(f"{bot.name} was changed since this was asked. Look at it as it is now, and ask again.")
    if not 0 <= params.overlap_hours <= LONGEST_OVERLAP_HOURS:
        raise Invalid("Choose from 0 to 7 days.", field="overlap_days")
    check(params.new_limits, acknowledged=params.acknowledged)


def _renewed(params: RotateKey, change: ChangeRequest) -> RotateKey:
    bot = find(change, params.service_user_id)
    return replace(params, limits=limits_of(bot), replaced=replaceable(bot))


@operation(
    "accounts.rotate_key",
    title="Rotate key",
    workflow=Workflow.MANAGE_ACCESS,
    params=RotateKey,
    subject=lambda params: f"service_user:{params.service_user_id}",
    headline=lambda params: Headline(f"Rotate the key of {descriptions.name_of(params.service_user_id)}"),
    describe=key_descriptions.rotation,
    opened=check_rotation,
    touches=stale_fields.by_rotation,
    renewed=_renewed,
    gives_withdraw=lambda params: (params.account_id,) if params.limits.may_withdraw else (),
    protection=lock_protection.ROTATE_KEY,
    protected=lambda params, _facts: params.limits.may_withdraw,
)
def rotate_key(*, actor: Actor, params: RotateKey, change: ChangeRequest) -> ApiKey:
    """Make a second key, which waits for its initiator to reveal it. Until then the first one works as before.

    Whoever rotates a key is from then on a custodian of the old one too (R3). The nonces of the two are apart: the
    new key begins at zero, as the protocol wants.

    Raises: Invalid, Conflict as `check_rotation`; Conflict if the bot has two keys already.
    """
    check_rotation(actor=actor, params=params, change=change)
    bot = find(change, params.service_user_id)
    member = asking_member(change)
    for old in ApiKey.objects.filter(service_user=bot, slot__isnull=False):
        lifecycle.add_custodian(old, member, reason="rotated it")
    key = lifecycle.issue(bot, made_by=member, expires_at=params.expires_at, overlap_hours=params.overlap_hours)
    ServiceUser.objects.filter(pk=bot.pk).update(version=F("version") + 1)
    for old in ApiKey.objects.filter(service_user=bot, revoked_at=None).exclude(pk=key.pk).order_by("pk"):
        # R3 counts whoever asked for the rotating of a key, also for what the old one asks while both work.
        lifecycle.add_custodian(old, asking_member(change), reason="rotated it out")
    record(
        EventKind.KEY_ROTATED,
        actor=actor,
        subject=key,
        organization_id=bot.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        change=change.reference,
        bot=bot.name,
        replaced=list(params.replaced),
        overlap_hours=params.overlap_hours,
        expires_at=params.expires_at,
    )
    return key
