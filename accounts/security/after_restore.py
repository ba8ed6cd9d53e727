"""After an older backup was restored: nothing that was signed or signed in before may count again.

A restored key knows no nonce that it spent since the backup, so whoever kept a signed call could send it once more.
Its floor is lifted to the present. What "the present" is in nonces depends on the bot (protocol reference §3): most
count milliseconds, others units of ten nanoseconds, or nanoseconds. A floor in nanoseconds would shut a bot that counts
milliseconds out for ever, one in milliseconds would let every call in nanoseconds pass; so each key is lifted by the
clock that its own last nonce was read from. Where that is no clock, only the highest floor is safe.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from accounts.models import AccessLink, ApiKey, Organization, Session
from portal.audit.kinds import EventKind
from portal.audit.record import lock_history, record
from portal.core.actors import operator

# Units in a second of the clocks that bots read, and what people call them.
CLOCKS: Final = {
    10**3: "milliseconds",
    10**6: "microseconds",
    10**7: "units of 100 nanoseconds",
    10**8: "units of 10 nanoseconds",
    10**9: "nanoseconds",
}
FINEST: Final = 10**9
# A bot's clock is not ours. Further apart than this it is no clock at all; nothing later than that was ever accepted.
NEAR: Final = timedelta(days=1)
# Bots whose clocks run ahead have signed up to this much beyond now. For so long a good bot is refused as well.
MARGIN: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Lifted:
    """One key and the clock by which it was lifted. `is_sure`: its own last nonce was read from that clock."""

    key: ApiKey
    clock: str
    is_sure: bool


def clock_of(key: ApiKey) -> int | None:
    """How many units in a second the clock of the key's last nonce has; None if that was no clock, or there is none."""
    if key.last_used_at is None:
        return None
    used = key.last_used_at.timestamp()
    near = NEAR.total_seconds()
    return next((units for units in CLOCKS if abs(key.last_nonce / units - used) <= near), None)


def close_the_past(organization: Organization) -> tuple[list[Lifted], datetime | None]:
    """Lift the floor of every key of an Organization and write it into its history, in one transaction.

    Gives the keys, and the time of the last event before this one: so far the backup reaches. May run again.
    """
    with transaction.atomic():
        lock_history(organization.pk)
        events = organization.audit_events.exclude(kind=EventKind.BACKUP_RESTORED.value)
        reaches = events.order_by("-sequence").values_list("at", flat=True).first()
        keys = ApiKey.objects.filter(service_user__organization=organization, revoked_at=None).order_by("pk")
        lifted = [_lift(key) for key in keys.select_related("service_user").select_for_update(of=("self",))]
        record(
            EventKind.BACKUP_RESTORED,
            actor=operator(organization.pk),
            subject=organization,
            reaches_to="" if reaches is None else reaches.isoformat(),
            keys_lifted=len(lifted),
        )
    return lifted, reaches


def end_every_session() -> int:
    """Nobody stays signed in, whoever was when the backup was made; says how many sessions that were."""
    ended, _ = Session.objects.all().delete()
    return ended


def end_every_link() -> int:
    """No link that was mailed before opens anything: it may have been used since. Says how many those were.

    Who needs one gets another, by *Forgotten* or by signing in without a factor.
    """
    return AccessLink.objects.filter(used_at=None).update(used_at=timezone.now())


def _lift(key: ApiKey) -> Lifted:
    clock = clock_of(key)
    floor = _units(timezone.now() + MARGIN, clock or FINEST)
    key.last_nonce = key.floor_nonce = max(key.last_nonce, floor)
    key.recent_nonces = []
    key.save(update_fields=["last_nonce", "floor_nonce", "recent_nonces"])
    return Lifted(key, CLOCKS[clock or FINEST], is_sure=clock is not None)


def _units(at: datetime, clock: int) -> int:
    return int(at.timestamp()) * clock
