"""What a signed-in session holds, and how long it lives: the limits are kept here, not in the cookie."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any, Final
from uuid import UUID, uuid4

from django.contrib.auth import SESSION_KEY as USER
from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

from accounts.models import Member, Organization
from portal.core import call_origin
from portal.core.factors import STRONG
from portal.core.web.http import Proof

MEMBER, SIGNED_IN, ACTIVE, PROVED, FACTOR = "member", "signed_in_at", "active_at", "proved_at", "proved_by"
HANDLE, SOURCE, AGENT, SIGNED_IN_BY = "handle", "source", "agent", "signed_in_by"
# Which factors were shown in this session, the one that is shown last, and since when it is where it is.
SHOWN, PROVED_WITH, ENTERED = "shown", "proved_with", "entered_at"
# Activity is written down this often at most: a session dies that much early rather than late.
NOTED_EVERY: Final = timedelta(minutes=1)
AGENT_LENGTH: Final = 200
MARKS_KEPT: Final = 10


def start(store: SessionBase, member: Member, *, factor: str, mark: str = "") -> None:
    """Fill a new session for a Member who has just shown their factors; `mark` says which one it was."""
    store[MEMBER] = member.pk
    store[SIGNED_IN] = store[ACTIVE] = timezone.now().timestamp()
    store[HANDLE], store[SOURCE], store[SIGNED_IN_BY] = str(uuid4()), call_origin.current().source, factor
    store[SHOWN] = [mark] if mark else []
    # A recovery code opens the door; it never serves as a step-up (security SU-1).
    if factor in STRONG:
        note_proof(store, factor, mark)


def ends_at(store: SessionBase, organization: Organization) -> datetime:
    """When the idle or the absolute limit of the Organization strikes, whichever comes first (DESIGN O4)."""
    return _end_of(_moment(store.get(SIGNED_IN, 0)), _moment(store.get(ACTIVE, 0)), organization)


def left(store: SessionBase, organization: Organization) -> int:
    """Seconds until then, as things stand: 0 only once it is over, so that nobody takes it for that before."""
    return max(0, ceil((ends_at(store, organization) - timezone.now()).total_seconds()))


def is_over(store: SessionBase, organization: Organization) -> bool:
    """Whether the idle or the absolute limit has passed."""
    return timezone.now() >= ends_at(store, organization)


def signed_in_at(store: SessionBase) -> datetime:
    """When somebody signed in, wherever the session has been since."""
    return _moment(store.get(SIGNED_IN, 0))


def began_before(store: SessionBase, moment: datetime | None) -> bool:
    """Whether it was opened, or came to where it is, before `moment`, if there was one."""
    return moment is not None and _moment(store.get(ENTERED, store.get(SIGNED_IN, 0))) < moment


def is_past(started_at: datetime | None, seen_at: datetime | None, organization: Organization) -> bool:
    """The same of a session that is known by its columns only."""
    return started_at is None or seen_at is None or timezone.now() >= _end_of(started_at, seen_at, organization)


def note_activity(store: SessionBase, *, at_once: bool = False) -> bool:
    """A person did something just now; False if that was written down less than a minute ago and may wait."""
    now = timezone.now()
    if now - _moment(store.get(ACTIVE, 0)) < NOTED_EVERY and not at_once:
        return False
    store[ACTIVE] = now.timestamp()
    return True


def note_agent(store: SessionBase, agent: str) -> bool:
    """Remember which browser a new session is for; it helps its owner to recognize it, and proves nothing.

    False if there is no session that is new.
    """
    if HANDLE not in store or AGENT in store:
        return False
    store[AGENT] = "".join(letter for letter in agent if letter.isprintable())[:AGENT_LENGTH]
    return True


def enter(store: SessionBase, member: Member) -> None:
    """Go on as that Member. What was shown before counts there only if the factor does."""
    store[MEMBER], store[ENTERED] = member.pk, timezone.now().timestamp()


def shown(store: SessionBase) -> list[str]:
    """The marks of the factors that were shown in this session."""
    return list(store.get(SHOWN, ()))


def note_shown(store: SessionBase, mark: str) -> None:
    """One more factor was shown in this session, for whatever purpose."""
    store[SHOWN] = [mark, *(other for other in shown(store) if other != mark)][:MARKS_KEPT]


def note_proof(store: SessionBase, factor: str, mark: str = "") -> None:
    """A second factor was shown just now, for no Decision in particular."""
    store[PROVED], store[FACTOR], store[PROVED_WITH] = timezone.now().timestamp(), factor, mark


def forget_proof(store: SessionBase) -> None:
    """The factors changed: what was shown before no longer serves (security SU-4)."""
    for mark in (PROVED, FACTOR, PROVED_WITH):
        store.pop(mark, None)


def recent_proof(store: SessionBase) -> Proof | None:
    """The last second factor shown, while it is fresh."""
    if PROVED not in store:
        return None
    at = _moment(store[PROVED])
    proof = Proof(factor=store[FACTOR], at=at, mark=store.get(PROVED_WITH, ""))
    return proof if proof.is_fresh else None


def columns(data: Mapping[str, Any]) -> dict[str, object]:
    """What `accounts.models.Session` shows of a session that holds `data`; nothing before anybody has signed in."""
    if HANDLE not in data or USER not in data:
        return {}
    return {
        "user_id": int(data[USER]),
        "member_id": data[MEMBER],
        "handle": UUID(data[HANDLE]),
        "started_at": _moment(data[SIGNED_IN]),
        "seen_at": _moment(data[ACTIVE]),
        "source": data.get(SOURCE, ""),
        "agent": data.get(AGENT, ""),
        "factor": data.get(SIGNED_IN_BY, ""),
    }


def _end_of(started_at: datetime, seen_at: datetime, organization: Organization) -> datetime:
    idle, absolute = timedelta(minutes=organization.idle_minutes), timedelta(hours=organization.absolute_hours)
    return min(seen_at + idle, started_at + absolute)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
