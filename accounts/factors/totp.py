"""Authenticator apps: a seed offered, enrolled, and its codes checked, each once."""

import secrets
from base64 import b32decode, b32encode
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from urllib.parse import quote, urlencode

import django_otp
from django.conf import settings
from django.utils import timezone

from accounts.factors.enrolled import in_use
from accounts.models import Authenticator, Member, User
from accounts.models.second_factor import CODE, code_at, current_step, step_of
from portal.core.factors import TOTP, factor_word
from portal.core.secrets.sealing import seal, unseal

SEED_BYTES: Final = 20
STOPPED: Final = (
    "A hundred wrong codes in a row were tried, so no code of this app is taken any more. "
    "Use a passkey or a recovery code, or have another member reset your second factors."
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A seed that nobody holds yet, as base32, and the address an app reads it from. To be shown once."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a code was not accepted, fit to show."""

    message: str


def offer(email: str) -> Offer:
    """A new seed of 160 bits (RFC 4226 §4) for the person of that address."""
    return _offer(b32encode(secrets.token_bytes(SEED_BYTES)).decode(), email)


def sealed(user: User, offered: Offer) -> str:
    """The offer as a session may keep it until it is confirmed: it opens for this person only."""
    return seal(b32decode(offered.secret), place=_pending(user))


def unsealed(user: User, kept: str) -> Offer:
    """The offer that `sealed` put away.

    Raises: SealBroken if it was somebody else's.
    """
    return _offer(b32encode(unseal(kept, place=_pending(user))).decode(), user.email)


def enrol(user: User, offered: Offer) -> Authenticator:
    """Keep the seed, sealed, as the person's authenticator app. The operator's road: nobody is asked for a code.

    It counts in every place that they have.
    """
    device = _kept(user, offered)
    device.places.set(Member.objects.filter(user=user, removed_at=None))
    return device


def _kept(user: User, offered: Offer) -> Authenticator:
    device = Authenticator(user=user, name=factor_word(TOTP).capitalize(), confirmed=True, created_at=timezone.now())
    device.sealed_seed = seal(b32decode(offered.secret), place=device.place)
    device.save()
    return device


def confirm(user: User, offered: Offer, code: str, *, name: str) -> Authenticator | Failure:
    """Enrol the seed if `code` is what it shows now; that code is spent with it (security F-4).

    Where it counts is for the caller to say.
    """
    step = step_of(b32decode(offered.secret), code, after=-1)
    if step is None:
        return Failure("Not the code that this key shows now. Check the time of your phone, then try the next code.")
    device = _kept(user, offered)
    device.name, device.last_step = name, step
    device.save(update_fields=["name", "last_step"])
    return device


def verify(user: User, code: str, *, place: Member | None = None) -> Authenticator | Failure:
    """Check a code and use it up, under the lock of its row; a code passes once, whatever it is shown for.

    Only apps that count for `place` are asked; without one, those that count wherever the person may sign in.

    Runs in the caller's transaction, which must commit also after a Failure: that is where failures are counted, on
    each app that was asked, so that holding several gives nobody more tries (security F-11). One on which a hundred in
    a row were wrong is asked no more (SI-5): another one, a passkey or a reset is the way.

    Raises: SealBroken if the seed of one of them does not open.
    """
    devices = list(in_use(TOTP, user, place).order_by("pk").select_for_update())
    if not devices or not CODE.fullmatch(code):
        return Failure("Not the current code. It has six digits.")
    going = [device for device in devices if not device.is_stopped]
    if not going:
        return Failure(STOPPED)
    ready = [device for device in going if device.verify_is_allowed()[0]]
    if not ready:
        return _too_many(min(device.verify_is_allowed()[1]["locked_until"] for device in going) - timezone.now())
    shown_by = next((device for device in ready if device.shows(code)), ready[0])
    accepted: Authenticator | None = django_otp.verify_token(user, shown_by.persistent_id, code)
    if not accepted:
        for other in going:
            if other != shown_by:
                other.throttle_increment()
        return Failure("Not the current code, or it was used before. Wait for the next one, then try again.")
    return accepted


def _too_many(wait: timedelta) -> Failure:
    seconds = max(1, round(wait.total_seconds()))
    if seconds < 3:
        return Failure("That was too soon after a wrong code. Send it again now.")
    words = f"{seconds} seconds" if seconds < 120 else f"{round(seconds / 60)} minutes"
    return Failure(f"Too many wrong codes. Wait {words}, then use the code shown then.")


def current_code(user: User) -> str:
    """What the person's app shows now. For the demo, which is its own app."""
    device = Authenticator.objects.filter(user=user, confirmed=True).order_by("pk").get()
    return code_at(unseal(device.sealed_seed, place=device.place), current_step())


def _pending(user: User) -> str:
    return f"session.pending_seed:{user.handle}"


def _offer(secret: str, email: str) -> Offer:
    issuer = settings.PRODUCT_NAME
    query = urlencode({"secret": secret, "issuer": issuer, "digits": 6, "period": 30}, quote_via=quote)
    return Offer(secret=secret, uri=f"otpauth://totp/{quote(issuer)}:{quote(email)}?{query}")
