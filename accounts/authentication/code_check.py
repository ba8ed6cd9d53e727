"""Codes that people type as their second factor; wrong ones count for the person, not the device (security F-11)."""

from datetime import timedelta
from typing import Final

from accounts.authentication import throttle
from accounts.factors import recovery_codes, totp
from accounts.factors.totp import Failure
from accounts.models import Authenticator, Member, RecoveryCode, User
from accounts.models.second_factor import CODE
from portal.core.secrets import unopened
from portal.core.secrets.sealing import SealBroken

LOST: Final = (
    "No code can be checked at the moment: the portal cannot open what it keeps of your authenticator app. Nothing is "
    "wrong with your app or your code. Tell whoever runs the portal that a sealing key is missing. A passkey or a "
    "recovery code works meanwhile."
)


def check_app(user: User, code: str, *, place: Member | None = None) -> Authenticator | Failure:
    """The app that shows `code`, which is spent; or why not. In a transaction that commits also then.

    With `place`, one that counts there. Where the seed of an app does not open, no code counts as wrong.
    """
    if CODE.fullmatch(code) and (left := throttle.wait_for_code(user)) is not None:
        return _wait(left)
    try:
        checked = totp.verify(user, code, place=place)
    except SealBroken as error:
        unopened.note(error, "code")
        return Failure(LOST)
    if isinstance(checked, Authenticator):
        throttle.code_was_right(user)
    return checked


def check_recovery(user: User, code: str) -> RecoveryCode | Failure:
    """The recovery code, which is spent; or why not. In a transaction that commits also then."""
    if (left := throttle.wait_for_code(user)) is not None:
        return _wait(left)
    return recovery_codes.use(user, code) or Failure("Not one of your recovery codes, or it was used before.")


def _wait(left: timedelta) -> Failure:
    seconds = max(1, round(left.total_seconds()))
    wait = f"{seconds} seconds" if seconds < 120 else f"{round(seconds / 60)} minutes"
    return Failure(f"Too many wrong codes. Wait {wait}, then try again.")
