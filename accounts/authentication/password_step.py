"""Signing in: the password, and what waits for the second step (security SI-1, SI-2, SI-4, SI-5); signing out."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.base import SessionBase
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts import known_networks
from accounts.authentication import session_data, session_store, throttle
from accounts.models import Member, User
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import lock_history, record
from portal.core import call_origin
from portal.core.actors import stranger
from portal.core.errors import Invalid, Refused
from portal.core.factors import PASSKEY, RECOVERY_CODE, TOTP
from portal.core.observing.meters import Counter

# One text for every refusal, so that it tells nothing, and is true of each.
WRONG: Final = (
    "The email address or the password is not right, or it was tried too often. "
    "After five tries not even the right one counts for a quarter of an hour; a passkey lets you in before."
)
NOTED_EVERY_SECONDS: Final = 60
PASSWORD: Final = "password"  # noqa: S105
SIGN_INS: Final = Counter(
    "countersign_sign_ins_total",
    "Steps of signing in, by what was shown and what came of it; `throttled` was not even looked at.",
    {"factor": (PASSWORD, TOTP, PASSKEY, RECOVERY_CODE), "result": ("succeeded", "failed", "throttled")},
)
PENDING_USER, PENDING_SINCE, PENDING_HASH, PENDING_FAILURES = (
    "pending_user",
    "pending_since",
    "pending_hash",
    "pending_failures",
)


class Ended(Refused):
    """The pending sign-in is over: it starts again with the password."""


@dataclass(frozen=True, slots=True)
class Pending:
    """Somebody whose password was right, and who is nobody yet."""

    user: User
    failures: int


def check_password(email: str, password: str) -> User:
    """The person of that address, if the password is theirs.

    Argon2 runs once, whoever is asked for; not at all for a source past its limits, which are counted by what was
    typed and so tell nothing of who there is. The statements are the same too, whether there is somebody or not.

    Raises: Invalid, always with the same words, also for a right password after too many wrong ones (SI-5).
    """
    source = call_origin.current().source
    if throttle.is_stopped(email, source):
        _record_throttled(email)
        raise Invalid(WRONG)
    member = first_membership_of(email)
    user = member.user if member is not None else None
    may_try = throttle.may_try_password(email, source)
    if user is None or not may_try or not user.has_usable_password():
        make_password(password)
        is_right = False
    else:
        is_right = user.check_password(password)
    if user is None or not is_right:
        if may_try:
            record_failure(email, member, factor=PASSWORD)
        else:
            _record_throttled(email)
        raise Invalid(WRONG)
    throttle.password_was_right(email, source)
    SIGN_INS.add(PASSWORD, "succeeded")
    return user


def begin(store: SessionBase, user: User) -> None:
    """Remember, in a session that is otherwise empty and new, that only the second factor is missing."""
    store.flush()
    store[PENDING_USER] = user.pk
    store[PENDING_SINCE] = timezone.now().timestamp()
    store[PENDING_HASH] = fragment(user)
    store[PENDING_FAILURES] = 0


def pending(store: SessionBase) -> Pending | None:
    """Whose second factor is awaited; None after five minutes, five failures, or a change of the password."""
    user = User.objects.filter(pk=store.get(PENDING_USER, 0), is_active=True).first()
    if user is None:
        return None
    age = timezone.now().timestamp() - store.get(PENDING_SINCE, 0)
    failures = store.get(PENDING_FAILURES, 0)
    is_over = timedelta(seconds=age) >= settings.PENDING_SIGN_IN or failures >= settings.PENDING_FAILURES
    if is_over or not constant_time_compare(store.get(PENDING_HASH, ""), fragment(user)):
        store.flush()
        return None
    return Pending(user=user, failures=failures)


def sign_out(store: SessionBase, member: Member) -> None:
    """End the session in the store."""
    with transaction.atomic():
        lock_history(member.organization_id)
        record(EventKind.SIGNED_OUT, actor=member, subject=member, workflow=Workflow.MANAGE_ACCESS)
    store.flush()


def switch(store: SessionBase, member: Member) -> None:
    """Go on in the same session, under a new key, as another membership of the same person.

    Raises: Ended if the session has passed the limits of that Organization, or began before somebody there ended the
    person's sessions; it is ended then.
    """
    name = member.organization.name
    if session_data.is_over(store, member.organization):
        store.flush()
        raise Ended(f"{name} allows less time without activity. Sign in again to go on there.")
    with transaction.atomic():
        lock_history(member.organization_id)
        is_shut_out = session_store.was_shut_out(store, member)
        if not is_shut_out:
            record(
                EventKind.SIGN_IN_SUCCEEDED,
                actor=member,
                subject=member,
                workflow=Workflow.MANAGE_ACCESS,
                factor="switch",
            )
    if is_shut_out:
        store.flush()
        raise Ended(f"Your sessions in {name} were ended since you signed in. Sign in again to go on there.")
    store.cycle_key()
    session_data.enter(store, member)
    session_data.note_activity(store)


def first_membership(user: User | None) -> Member | None:
    """As which Member the person comes in: the oldest place that they may use."""
    return first_membership_of(user.email) if user else None


def first_membership_of(email: str) -> Member | None:
    """The same for who has that address, if anybody has."""
    members = Member.objects.active().select_related("organization", "user")
    return members.filter(user__email=email.strip().lower()).order_by("pk").first()


@transaction.atomic
def record_failure(email: str, member: Member | None, *, factor: str, reason: str = "") -> None:
    """Keep in the history that somebody did not get in, whether or not there is such a person."""
    SIGN_INS.add(factor, "failed")
    organization_id = member.organization_id if member else None
    lock_history(organization_id)
    record(
        EventKind.SIGN_IN_FAILED,
        actor=stranger(email[:200]),
        subject=member,
        organization_id=organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        outcome="refused",
        factor=factor,
        **_reason(reason),
    )


def _reason(words: str) -> dict[str, Any]:
    return {"reason": words} if words else {}


def _record_throttled(email: str) -> None:
    """Once a minute for each source: who hammers at the door must not fill the history with it, nor cost anything."""
    SIGN_INS.add(PASSWORD, "throttled")
    network = known_networks.network_of(call_origin.current().source)
    if cache.add(f"sign-in-throttled:{network}", value=True, timeout=NOTED_EVERY_SECONDS):
        member = first_membership_of(email)
        with transaction.atomic():
            record(
                EventKind.SIGN_IN_THROTTLED,
                actor=stranger(email[:200]),
                subject=member,
                organization_id=member.organization_id if member else None,
                workflow=Workflow.MANAGE_ACCESS,
                outcome="refused",
            )


def fragment(user: User) -> str:
    """A piece of what changes with the password, so that what began before such a change ends with it."""
    return user.get_session_auth_hash()[:16]
