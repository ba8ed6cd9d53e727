"""API keys: issued, revealed once, taken away. `accounts.api_keys.credentials` finds and spends one at a call."""

import secrets
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from string import ascii_letters, digits
from typing import Final

from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone

from accounts.api_keys.credentials import (
    Credential,
    Outcome,
    Refusal,
    Spent,
    count,
    find,
    forget,
    is_current,
    remembered,
    secret_of,
    spend,
    versions,
)
from accounts.api_keys.nonces import NonceUsed
from accounts.models import ApiKey, Custodian, Member, Organization, ServiceUser
from accounts.models.api_key import CLAIM_WITHIN, SLOTS, place_of
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import lock_history, record
from portal.core.actors import portal
from portal.core.errors import Conflict, NotFound, Refused
from portal.core.secrets.sealing import seal

__all__ = [
    "Credential",
    "NonceUsed",
    "Outcome",
    "Refusal",
    "Revealed",
    "Spent",
    "add_custodian",
    "count",
    "find",
    "forget",
    "has_room",
    "is_current",
    "is_custodian",
    "issue",
    "others",
    "pause",
    "remembered",
    "retire",
    "reveal",
    "revoke",
    "secret_of",
    "spend",
    "touch",
    "touch_organization",
    "unpause",
    "versions",
]

PUBLIC_LENGTH: Final = 56
SECRET_BYTES: Final = 64
RESTS: Final = (
    "You rest until a day after you have enrolled a second factor anew, and reveal no secret before. "
    "The key waits for you for 72 hours from when it was made."
)


@dataclass(frozen=True, slots=True)
class Revealed:
    """Both halves of a key, on their one way to its maker."""

    public: str
    secret: str = field(repr=False)


def issue(
    service_user: ServiceUser, *, made_by: Member, expires_at: datetime | None, overlap_hours: int | None = None
) -> ApiKey:
    """Make a key that does nothing until `made_by` reveals its secret. Runs in the caller's transaction.

    With `overlap_hours` it replaces the keys there are: they end so long after it is revealed.

    Raises: Conflict if the bot has two keys that work or wait to be revealed.
    """
    slot = _free_slot(service_user)
    public = "".join(secrets.choice(ascii_letters + digits) for _ in range(PUBLIC_LENGTH))
    key = ApiKey.objects.create(
        service_user=service_user,
        public=public,
        sealed_secret=seal(b64encode(secrets.token_bytes(SECRET_BYTES)), place=place_of(public)),
        made_by=made_by,
        created_at=timezone.now(),
        expires_at=expires_at,
        slot=slot,
        overlap_hours=overlap_hours,
    )
    add_custodian(key, made_by, reason="made it" if overlap_hours is None else "rotated it in")
    record(EventKind.KEY_ISSUED, actor=made_by, subject=key, workflow=Workflow.MANAGE_ACCESS, bot=service_user.name)
    return key


def reveal(api_key_id: int, *, member: Member) -> Revealed:
    """Open the secret for the member who made the key, once, and make the key live.

    Raises: NotFound if the key is not theirs; Refused while they rest (DESIGN M4); Conflict if it was revealed or
    revoked before, if nobody claimed it in time, if it has expired or is paused, or if its bot is not active.
    """
    revealed = _reveal(api_key_id, member)
    if revealed is None:
        raise Conflict("Nobody claimed this key within 72 hours, so it can never be used. Its secret is gone.")
    return revealed


@transaction.atomic
def _reveal(api_key_id: int, member: Member) -> Revealed | None:
    """None if the key lapsed: that is written down first, which an error here would undo."""
    lock_history(member.organization_id)
    theirs = ApiKey.objects.filter(service_user__organization_id=member.organization_id, made_by=member)
    key = theirs.select_related("service_user").filter(pk=api_key_id).first()
    if key is None:
        raise NotFound("There is no such key for you to reveal.")
    # What may move money comes into one hand here: read now, as it was perhaps not so when the page was opened.
    if Member.objects.resting().filter(pk=member.pk).exists():
        raise Refused(RESTS)
    if not key.service_user.is_active:
        raise Conflict(f"{key.service_user.name} is not active, so its key cannot be revealed.")
    if key.has_expired and key.is_claimable:
        raise Conflict("This key has expired before anybody revealed it, so it replaces nothing. Ask for another one.")
    if key.paused_at is not None:
        raise Conflict("This key is paused. It can be revealed once that is lifted, if that is within its 72 hours.")
    now = timezone.now()
    # The one statement that decides: of two pages that ask at the same moment, one gets the secret.
    claimed = ApiKey.objects.filter(
        pk=key.pk, revealed_at=None, revoked_at=None, paused_at=None, created_at__gt=now - CLAIM_WITHIN
    ).update(revealed_at=now, is_active=True, version=F("version") + 1)
    if not claimed:
        if key.revealed_at is None and key.revoked_at is None:
            _lapse(key)
            return None
        raise Conflict(
            "This secret was revealed before. It is shown only once."
            if key.revoked_at is None
            else "This key is revoked: there is nothing left to reveal."
        )
    add_custodian(key, member, reason="revealed it")
    if key.overlap_hours is not None:
        retire(others(key), at=now + timedelta(hours=key.overlap_hours))
    record(
        EventKind.KEY_REVEALED, actor=member, subject=key, workflow=Workflow.MANAGE_ACCESS, bot=key.service_user.name
    )
    return Revealed(public=key.public, secret=secret_of(key.sealed_secret, public=key.public))


def _lapse(key: ApiKey) -> None:
    """Write down that nobody claimed the key. It was dead from `claim_by` on, whether or not this has run."""
    if revoke(key, at=key.claim_by):
        record(
            EventKind.KEY_LAPSED,
            actor=portal(key.service_user.organization_id),
            subject=key,
            workflow=Workflow.MANAGE_ACCESS,
            bot=key.service_user.name,
        )


def revoke(api_key: ApiKey, *, at: datetime) -> bool:
    """End a key for ever; False if it had ended before. Runs in the caller's transaction, which records it."""
    return bool(
        ApiKey.objects.filter(pk=api_key.pk, revoked_at=None).update(
            revoked_at=at, is_active=False, slot=None, version=F("version") + 1
        )
    )


def pause(api_key: ApiKey, *, by: Member, at: datetime) -> bool:
    """Let a key do nothing until that is lifted; False if it was paused or over. In the caller's transaction."""
    return bool(
        ApiKey.objects.filter(pk=api_key.pk, revoked_at=None, paused_at=None).update(
            paused_at=at, paused_by=by, is_active=False, version=F("version") + 1
        )
    )


def unpause(api_key: ApiKey) -> bool:
    """Let a paused key do again what it could; False if it is not paused. In the caller's transaction."""
    can_work = Q(revealed_at__isnull=False, revoked_at=None, slot__isnull=False)
    return bool(
        ApiKey.objects.filter(pk=api_key.pk, paused_at__isnull=False).update(
            paused_at=None,
            paused_by=None,
            is_active=Case(When(can_work, then=Value(True)), default=Value(False)),
            version=F("version") + 1,
        )
    )


def is_custodian(api_key: ApiKey, member: Member) -> bool:
    """Whether the person ever held the power of that key (DESIGN R3); the person counts, not the membership."""
    kept = Custodian.objects.filter(api_key=api_key, member__user_id=member.user_id)
    return api_key.made_by.user_id == member.user_id or kept.exists()


def others(key: ApiKey) -> QuerySet[ApiKey]:
    """The keys of the same bot that can work beside this one."""
    return ApiKey.objects.filter(service_user_id=key.service_user_id, slot__isnull=False).exclude(pk=key.pk)


def retire(keys: QuerySet[ApiKey], *, at: datetime) -> None:
    """Let keys end at `at` at the latest, from their next call on. Runs in the caller's transaction."""
    keys.filter(Q(expires_at=None) | Q(expires_at__gt=at)).update(expires_at=at)
    keys.update(retires_at=at, version=F("version") + 1)


def has_room(service_user: ServiceUser) -> bool:
    """Whether one more key could be made now."""
    held = ApiKey.objects.filter(service_user=service_user, slot__isnull=False)
    return sum(not key.is_over for key in held) < len(SLOTS)


def _free_slot(service_user: ServiceUser) -> int:
    """A slot for one more key; what is over gives its own back first.

    Raises: Conflict.
    """
    held: dict[int | None, ApiKey] = {}
    for key in ApiKey.objects.select_related("service_user").filter(service_user=service_user, slot__isnull=False):
        if key.has_lapsed:
            _lapse(key)
        elif key.has_expired:
            ApiKey.objects.filter(pk=key.pk).update(slot=None, is_active=False, version=F("version") + 1)
        else:
            held[key.slot] = key
    for slot in SLOTS:
        if slot not in held:
            return slot
    names = " and ".join(key.short for key in held.values())
    raise Conflict(f"{service_user.name} has two keys, {names}, and no more may be. Revoke or end one of them first.")


def touch(service_user: ServiceUser) -> None:
    """Make every process look again at all keys of a bot, from their next call on."""
    ApiKey.objects.filter(service_user=service_user).update(version=F("version") + 1)


def touch_organization(organization: Organization) -> None:
    """Make every process look again at all keys of all its bots, from their next call on."""
    ApiKey.objects.filter(service_user__organization=organization).update(version=F("version") + 1)


def add_custodian(api_key: ApiKey, member: Member, *, reason: str) -> None:
    """Remember that the member has had the power of the key; the first reason stays (DESIGN R3)."""
    Custodian.objects.get_or_create(
        api_key=api_key, member=member, defaults={"since": timezone.now(), "reason": reason}
    )
