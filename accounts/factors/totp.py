"""Authenticator apps: a seed offered, enrolled, and its codes checked, each once."""

import secrets
from base64 import b32decode, b32encode
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlencode

import django_otp
from django.conf import settings
from django.utils import timezone

from accounts.models import Authenticator, User
from accounts.models.second_factor import CODE, code_at, current_step
from portal.core.secrets import seal, unseal

NAME: Final = "totp"
SEED_BYTES: Final = 20


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
    secret = b32encode(secrets.token_bytes(SEED_BYTES)).decode()
    issuer = settings.PRODUCT_NAME
    query = urlencode({"secret": secret, "issuer": issuer, "digits": 6, "period": 30}, quote_via=quote)
    return Offer(secret=secret, uri=f"otpauth://totp/{quote(issuer)}:{quote(email)}?{query}")


def enrol(user: User, offered: Offer) -> Authenticator:
    """Keep the seed, sealed, as the person's authenticator app. The operator's road: nobody is asked for a code."""
    device = Authenticator(user=user, name="Authenticator app", confirmed=True, created_at=timezone.now())
    device.sealed_seed = seal(b32decode(offered.secret), place=device.place)
    device.save()
    return device


def verify(user: User, code: str) -> Authenticator | Failure:
    """Check a code and use it up, under the lock of its row; a code passes once, whatever it is shown for.

    Runs in the caller's transaction, which must commit also after a Failure: that is where failures are counted.
    """
    device = Authenticator.objects.filter(user=user, confirmed=True).order_by("pk").select_for_update().first()
    if device is None or not CODE.fullmatch(code):
        return Failure("Not the current code. It has six digits.")
    allowed, why = device.verify_is_allowed()
    if not allowed:
        seconds = max(1, round((why["locked_until"] - timezone.now()).total_seconds()))
        if seconds < 3:
            return Failure("That was too soon after a wrong code. Send it again now.")
        wait = f"{seconds} seconds" if seconds < 120 else f"{round(seconds / 60)} minutes"
        return Failure(f"Too many wrong codes. Wait {wait}, then use the code shown then.")
    accepted = django_otp.verify_token(user, device.persistent_id, code)
    return accepted or Failure("Not the current code, or it was used before. Wait for the next one, then try again.")


def current_code(user: User) -> str:
    """What the person's app shows now. For the demo, which is its own app."""
    device = Authenticator.objects.filter(user=user, confirmed=True).order_by("pk").get()
    return code_at(unseal(device.sealed_seed, place=device.place), current_step())
