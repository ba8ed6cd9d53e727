"""The second step of signing in, and the session that opens after it (security SI-1 to SI-3, F-5, F-7)."""

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.contrib import auth
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.http import HttpRequest

from accounts import memberships
from accounts.authentication import code_check, notifications, password_step, session_data, throttle
from accounts.authentication.password_step import Ended, Pending
from accounts.factors import recovery_codes, webauthn
from accounts.factors.enrolled import Shown, entrance, kind_of, mark_of
from accounts.factors.totp import Failure
from accounts.factors.webauthn import Purpose, WentBack
from accounts.models import Member, Passkey, RecoveryCode, User
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.errors import Invalid
from portal.core.factors import PASSKEY, RECOVERY_CODE, TOTP

BACKEND: Final = "django.contrib.auth.backends.ModelBackend"
TOO_LATE: Final = "Signing in took too long. Start again with your password."
UNKNOWN: Final = "This passkey opens nothing here. Sign in with your email address and password."


@dataclass(frozen=True, slots=True)
class _Half:
    """Whose password was right, and as which Member they would come in."""

    waiting: Pending
    member: Member


def complete(request: HttpRequest, code: str) -> Member:
    """Check the code of an authenticator app and open the session, under a new key.

    Raises: Invalid with `field="code"` if the code is not right; Ended if there is nothing (more) to complete.
    """
    half = _half(request.session)
    user, member = half.waiting.user, None
    with transaction.atomic(durable=True):
        memberships.lock(user)
        checked = code_check.check_app(user, code)
        if isinstance(checked, Failure):
            password_step.record_failure(user.email, half.member, factor=TOTP)
        elif (member := entrance(user, checked)) is not None:
            _record_success(member, TOTP)
    if isinstance(checked, Failure):
        _count_failure(request.session, half.waiting)
        raise Invalid(checked.message, field="code")
    return _opened(request, member, checked)


def complete_with_recovery_code(request: HttpRequest, code: str) -> Member:
    """Spend a recovery code and open a session that leads to enrolling a factor and to nothing else.

    Raises: as `complete`.
    """
    half = _half(request.session)
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
        _count_failure(request.session, half.waiting)
        raise Invalid(checked.message, field="code")
    return _opened(request, member, checked)


def complete_with_passkey(request: HttpRequest, answer: str) -> Member:
    """Open the session for who showed a passkey: alone it counts as both factors; after a password it must be theirs.

    Raises: Invalid if it is not accepted.
    """
    waiting = password_step.pending(request.session)
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
                shown = webauthn.verify(request, Purpose.SIGN_IN, answer, user=user)
        except Invalid as error:
            refused = error
        member = entrance(shown.user, shown) if shown else None
        if member is not None:
            _record_success(member, PASSKEY)
    if shown is None or member is None:
        _note_refused(user, refused)
        raise refused or Invalid(UNKNOWN)
    return _opened(request, member, shown)


def open_session(request: HttpRequest, member: Member, shown: Shown) -> None:
    """A new session, under a new key, of a Member who has just shown this factor, or a recovery code."""
    # Emptied first: `login` alone keeps what the pending session held, and keeps the key of one who is signed in.
    request.session.flush()
    user = member.user
    if not isinstance(shown, RecoveryCode):
        user.otp_device = shown  # type: ignore[attr-defined]
    auth.login(request, user, backend=BACKEND)
    session_data.start(request.session, member, factor=kind_of(shown), mark=mark_of(shown))


def _opened(request: HttpRequest, member: Member | None, shown: Shown) -> Member:
    if member is None:
        # It counted somewhere when it was looked for, and by now there is no such place.
        raise Ended(TOO_LATE)
    open_session(request, member, shown)
    return member


def _half(store: SessionBase) -> _Half:
    waiting = password_step.pending(store)
    member = password_step.first_membership(waiting.user) if waiting else None
    if waiting is None or member is None:
        raise Ended(TOO_LATE)
    return _Half(waiting, member)


def _record_success(member: Member, factor: str) -> None:
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
