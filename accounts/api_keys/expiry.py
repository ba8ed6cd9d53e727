"""Keys that are about to expire, that nobody uses, or that nobody ever used: shown, and mailed once each (K6)."""

from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from accounts.models import ApiKey, ServiceUser

# How long before a key expires it is announced, the nearest first.
BEFORE: Final = ((1, "expires_1"), (7, "expires_7"), (30, "expires_30"))
UNUSED: Final = timedelta(days=90)
NEVER_USED: Final = timedelta(days=30)


def due(key: ApiKey, now: datetime) -> tuple[tuple[str, datetime], ...]:
    """What there is to say of a key that works: each kind, and the instant that it is about."""
    if not key.is_active or key.revealed_at is None or key.is_over:
        return ()
    found: list[tuple[str, datetime]] = []
    if key.expires_at is not None and key.retires_at is None:
        left = key.expires_at - now
        kind = next((kind for days, kind in BEFORE if left <= timedelta(days=days)), None)
        if kind is not None:
            found.append((kind, key.expires_at))
    if key.last_used_at is None and now - key.revealed_at >= NEVER_USED:
        found.append(("never_used", key.revealed_at))
    if key.last_used_at is not None and now - key.last_used_at >= UNUSED:
        found.append(("unused", key.last_used_at))
    return tuple(found)


def warnings(key: ApiKey, bot: ServiceUser) -> tuple[str, ...]:
    """The same as the page says it; nothing for a bot that stands still."""
    if not bot.is_active:
        return ()
    return tuple(WORDS[kind] for kind, _ in due(key, timezone.now()))


WORDS: Final = {
    "expires_1": "Expires within a day. Rotate it, or give it a later expiry.",
    "expires_7": "Expires within 7 days. Rotate it, or give it a later expiry.",
    "expires_30": "Expires within 30 days.",
    "never_used": "Nobody ever used it since it was revealed. Revoke it if nobody needs it.",
    "unused": "Unused for 90 days. Revoke it if nobody needs it.",
}
