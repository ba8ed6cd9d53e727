"""What a signed-in session holds, and how long it lives: the limits are kept here, not in the cookie."""

from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

from accounts.models import Member
from portal.core.http import Proof

MEMBER, SIGNED_IN, ACTIVE, PROVED, FACTOR = "member", "signed_in_at", "active_at", "proved_at", "proved_by"
# Activity is written down this often at most: a session dies that much early rather than late.
NOTED_EVERY: Final = timedelta(minutes=1)


def start(store: SessionBase, member: Member, *, factor: str) -> None:
    """Fill a new session for a Member who has just shown their factors."""
    store[MEMBER] = member.pk
    store[SIGNED_IN] = store[ACTIVE] = timezone.now().timestamp()
    note_proof(store, factor)


def is_over(store: SessionBase) -> bool:
    """Whether the idle or the absolute limit has passed."""
    now = timezone.now()
    idle, age = now - _moment(store.get(ACTIVE, 0)), now - _moment(store.get(SIGNED_IN, 0))
    return bool(idle >= settings.SESSION_IDLE or age >= settings.SESSION_ABSOLUTE)


def note_activity(store: SessionBase) -> None:
    """A person did something just now."""
    now = timezone.now()
    if now - _moment(store.get(ACTIVE, 0)) >= NOTED_EVERY:
        store[ACTIVE] = now.timestamp()


def note_proof(store: SessionBase, factor: str) -> None:
    """A second factor was shown just now, for no Decision in particular."""
    store[PROVED], store[FACTOR] = timezone.now().timestamp(), factor


def recent_proof(store: SessionBase) -> Proof | None:
    """The last second factor shown, while it is fresh."""
    if PROVED not in store:
        return None
    at = _moment(store[PROVED])
    return Proof(factor=store[FACTOR], at=at) if timezone.now() - at < settings.STEP_UP_FRESH else None


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
