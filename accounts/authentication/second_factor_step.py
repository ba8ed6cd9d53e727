"""The second step of signing in, and whom it lets in (security SI-1 to SI-3, F-5, F-7)."""

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction

from accounts import memberships
from accounts.authentication import code_check, notifications, password_step, throttle
from accounts.authentication.password_step import Ended, Pending
from accounts.factors import recovery_codes, webauthn
from accounts.factors.enrolled import Shown, entrance
from accounts.factors.totp import Failure
from accounts.factors.webauthn import Purpose, WentBack
from accounts.models import Member, Passkey, User
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.errors import Invalid
from portal.core.factors import PASSKEY, RECOVERY_CODE, TOTP

TOO_LATE: Final = "Signing in took too long. Start again with your password."
UNKNOWN: Final = "This passkey opens nothing here. Sign in with your email address and password."


@dataclass(frozen=True, slots=True)
class Admitted:
    """A Member who has just shown this factor, or a recovery code: their session is still to be opened, and it alone
    lets them in.
    """

    member: Member
    shown: Shown


@dataclass(frozen=True, slots=True)
class _Half:
    """Whose password was right, and as which Member they would come in."""

    waiting: Pending
    member: Member


def complete(store: SessionBase, code: str) -> Admitted:
    """Check the code of an authenticator app of who waits in this session.

    Raises: Invalid with `field="code"` if the code is not right; Ended if there is nothing (more) to complete.
    """
    half = _half(store)
    user, member = half.waiting.user, None
    with transaction.atomic(durable=True):
        memberships.lock(user)
        checked = code_check.check_app(user, code)
        if isinstance(checked, Failure):
            password_step.record_failure(user.email, half.member, factor=TOTP)
        elif (member := entrance(user, checked)) is not None:
            _record_success(member, TOTP)
    if isinstance(checked, Failure):
        _count_failure(store, half.waiting)
        raise Invalid(checked.message, field="code")
    return _admitted(member, checked)


def complete_with_recovery_code(store: SessionBase, code: str) -> Admitted:
    """Spend a recovery code; the session it opens leads to enrolling a factor and to nothing else.

    Raises: as `complete`.
    """
    half = _half(store)
    user, member = half.waiting.user, None
    with transaction.atomic(durable=True):
        memberships.lock(user)
        checked = code_check.check_recovery(user, code)
        if isinstance(checked, Failure):
            password_step.record_failure(user.email, half.member, factor=RECOVERY_CODE)
        elif (member := entrance(user, checked)) is not None:
            _record_success(member, RECOVERY_CODE)
            notifications.notify_security(user, "recovery_code_used", remaining=recovery_codes.remaining(member))
    if isinstance(checked, Failure):
        _count_failure(store, half.waiting)
        raise Invalid(checked.message, field="code")
    return _admitted(member, checked)


def complete_with_passkey(store: SessionBase, waiting: Pending | None, answer: str, *, kept: str) -> Admitted:
    """Check what a passkey answered: alone it counts as both factors; after a password it must be theirs.

    `waiting` is who waits in this session; where nobody does, the challenge is the one that the browser `kept`.

    Raises: Invalid if it is not accepted.
    """
    user = waiting.user if waiting else None
    refused: Invalid | None = None
    shown: Passkey | None = None
    named = password_step.first_membership(user or webauthn.owner_of(answer))
    with transaction.atomic(durable=True):
        if named is not None:
            # The histories before the passkey, as at a step-up: two that take turns otherwise wait for each other.
            memberships.lock(named.user)
        try:
            with transaction.atomic():
                if user is None:
                    shown = webauthn.verify_stranger(kept, answer)
                else:
                    shown = webauthn.verify(store, Purpose.SIGN_IN, answer, user=user)
        except Invalid as error:
            refused = error
        member = entrance(shown.user, shown) if shown else None
        if member is not None:
            _record_success(member, PASSKEY)
    if shown is None or member is None:
        _note_refused(user, refused)
        raise refused or Invalid(UNKNOWN)
    return _admitted(member, shown)


def _admitted(member: Member | None, shown: Shown) -> Admitted:
    if member is None:
        # It counted somewhere when it was looked for, and by now there is no such place.
        raise Ended(TOO_LATE)
    return Admitted(member, shown)


def _half(store: SessionBase) -> _Half:
    waiting = password_step.pending(store)
    member = password_step.first_membership(waiting.user) if waiting else None
    if waiting is None or member is None:
        raise Ended(TOO_LATE)
    return _Half(waiting, member)


def _record_success(member: Member, factor: str) -> None:
    password_step.SIGN_INS.add(factor, "succeeded")
    record(EventKind.SIGN_IN_SUCCEEDED, actor=member, subject=member, workflow=Workflow.MANAGE_ACCESS, factor=factor)
    failures = throttle.signed_in(member.user, by_recovery_code=factor == RECOVERY_CODE)
    notifications.after_sign_in(member, failures=failures)


def _count_failure(store: SessionBase, waiting: Pending) -> None:
    store[password_step.PENDING_FAILURES] = waiting.failures + 1
    if waiting.failures + 1 >= settings.PENDING_FAILURES:
        store.flush()
        raise Ended("Too many wrong codes. Start again with your password.")


def _note_refused(user: User | None, error: Invalid | None) -> None:
    """A stranger's passkey is nobody's; a counter that went back is somebody's copy (security F-5)."""
    copied = error if isinstance(error, WentBack) else None
    owner = copied.passkey.user if copied else user
    password_step.record_failure(
        owner.email if owner else "",
        password_step.first_membership(owner),
        factor=PASSKEY,
        reason=webauthn.COUNTER_WENT_BACK if copied else "",
    )
