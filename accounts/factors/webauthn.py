"""Passkeys: challenges bound to a purpose, and the answers that pass (security F-5, F-6; WebAuthn Level 3 §7)."""

import hmac
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core import signing
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django_otp_webauthn.exceptions import OTPWebAuthnApiError
from django_otp_webauthn.helpers import WebAuthnHelper
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from accounts.known_networks import network_of
from accounts.models import Member, Passkey, User
from portal.core.errors import Invalid

LONGEST_ANSWER: Final = 16_384
AT_MOST: Final = 10
STRANGERS_SALT: Final = "accounts.factors.webauthn.challenge"
# A whole office may sign in within a quarter of an hour.
CHALLENGES_OF_SOURCE, STRANGERS_WINDOW_SECONDS = 300, 900
STALE: Final = "That took too long, or the page was left in between. Try again."
NOT_ACCEPTED: Final = "This passkey was not accepted. Use the one made for this site, and unlock it when it asks."
NOT_HERE: Final = "This passkey does not count in this Organization. Use one that does."
COUNTER_WENT_BACK: Final = "the counter of the passkey went back, as that of a copy would"
logger = logging.getLogger(__name__)


class WentBack(Invalid):
    """The counter of a passkey is not beyond the last one seen: there may be a copy (security F-5)."""

    def __init__(self, passkey: Passkey) -> None:
        super().__init__("This passkey was not accepted: it may have been copied. Remove it, and make a new one.")
        self.passkey = passkey


class Purpose(StrEnum):
    """What a challenge is for; an answer serves no other."""

    REGISTER = "register"
    SIGN_IN = "sign_in"
    STEP_UP = "step_up"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the session remembers of a challenge until it is answered once."""

    value: str
    at: datetime
    user: int
    subject: str

    @property
    def is_fresh(self) -> bool:
        """Whether there is still time to answer it (`PASSKEY_CHALLENGE`)."""
        return timezone.now() - self.at < settings.PASSKEY_CHALLENGE

    @property
    def state(self) -> dict[str, str | bool]:
        """As the library keeps it. That the person must be verified is said here, not believed from a session."""
        return {"challenge": self.value, "require_user_verification": True}


class Helper(WebAuthnHelper):  # type: ignore[misc]
    """The library's ceremonies with a verified person everywhere, and our own handle of theirs."""

    def get_generate_registration_options_kwargs(self, *, user: User) -> dict[str, Any]:
        """The library's, with what it only prefers required: a passkey that verifies the person."""
        options: dict[str, Any] = super().get_generate_registration_options_kwargs(user=user)
        options["authenticator_selection"].user_verification = UserVerificationRequirement.REQUIRED
        options["authenticator_selection"].resident_key = ResidentKeyRequirement.REQUIRED
        return options

    def get_generate_authentication_options_kwargs(
        self, *, user: User | None = None, require_user_verification: bool = True
    ) -> dict[str, Any]:
        """The library's, but nobody talks it out of verifying the person."""
        return dict(super().get_generate_authentication_options_kwargs(user=user, require_user_verification=True))

    def get_user_entity(self, user: User) -> PublicKeyCredentialUserEntity:
        """Name the person by our random handle, never by a key of the database."""
        return PublicKeyCredentialUserEntity(id=user.handle.bytes, name=user.email, display_name=user.name)


def _helper() -> Helper:
    """Without a request: the library hands it to settings that find the site's name by it, and ours is always one."""
    return Helper(request=None)


def offer_registration(store: SessionBase, user: User, places: Sequence[Member]) -> dict[str, Any]:
    """The options with which the browser makes a passkey for `user`, to count in these places of theirs.

    Raises: Invalid if they have as many as anybody may have.
    """
    if Passkey.objects.filter(places__in=places).distinct().count() >= AT_MOST:
        raise Invalid(f"You have {AT_MOST} passkeys. Remove one that you do not use before you add another.")
    options, state = _helper().register_begin(user)
    _remember(store, Purpose.REGISTER, state["challenge"], user=user, subject="")
    return dict(options)


def register(store: SessionBase, user: User, answer: str, *, name: str) -> Passkey:
    """Keep the passkey that answered; it counts from now on. In the caller's transaction.

    Raises: Invalid if the answer is late, not to this challenge, of another site, without a verified person, or of a
    passkey that is known already.
    """
    challenge = _take(store, Purpose.REGISTER, user=user, subject="")
    try:
        with transaction.atomic():
            passkey: Passkey = _helper().register_complete(user, challenge.state, _parsed(answer))
    except IntegrityError as error:
        raise Invalid("This passkey is known here already. Use another device, or sign in with it.") from error
    except (WebAuthnException, OTPWebAuthnApiError) as error:
        raise _refused(error) from error
    passkey.name, passkey.confirmed = name, True
    passkey.save(update_fields=["name", "confirmed"])
    return passkey


def known(store: SessionBase, user: User, answer: str) -> Passkey:
    """One of the person's own passkeys, shown so that it may count in one more place; otherwise as `verify`."""
    return verify(store, Purpose.COUNT, answer, user=user)


def challenge(store: SessionBase, purpose: Purpose, *, user: User, subject: str = "") -> dict[str, Any]:
    """The options with which the browser asks for a passkey of `user`."""
    options, state = _helper().authenticate_begin(user, require_user_verification=True)
    _remember(store, purpose, state["challenge"], user=user, subject=subject)
    return dict(options)


def challenge_stranger() -> tuple[dict[str, Any], str]:
    """The options with which the browser asks for any passkey, to sign in; and the challenge, signed.

    Strangers keep that themselves and bring it along with the answer: it must not fill a row of the database. That it
    passes once the passkey remembers, which takes no challenge that is not later than its last.
    """
    options, state = _helper().authenticate_begin(None, require_user_verification=True)
    kept = signing.dumps({"value": state["challenge"], "at": timezone.now().isoformat()}, salt=STRANGERS_SALT)
    return dict(options), kept


def may_challenge_stranger(source: str) -> bool:
    """Whether one more challenge may be handed out to nobody in particular; each process counts for itself."""
    name = f"passkeys-asked:{network_of(source)}"
    cache.add(name, 0, timeout=STRANGERS_WINDOW_SECONDS)
    try:
        return cache.incr(name) <= CHALLENGES_OF_SOURCE
    except ValueError:  # its time ended just now
        return True


def verify(
    store: SessionBase,
    purpose: Purpose,
    answer: str,
    *,
    user: User,
    place: Member | None = None,
    subject: str = "",
) -> Passkey:
    """The passkey that answered the challenge made for this purpose, person and subject; each passes once.

    With `place`, only one that counts there. Runs in the caller's transaction.

    Raises: WentBack if its counter did; Invalid for anything else.
    """
    return _answered(_take(store, purpose, user=user, subject=subject), answer, user=user, place=place)


def verify_stranger(kept: str, answer: str) -> Passkey:
    """The passkey that answered the challenge that a stranger `kept`; each passes once. Otherwise as `verify`."""
    return _answered(_handed_in(kept), answer, user=None, place=None)


def owner_of(answer: str) -> User | None:
    """Whose passkey the answer names, before anything of it is checked; None if it names none."""
    try:
        passkey: Passkey | None = _known(_parsed(answer)).first()
    except Invalid:
        return None
    return passkey.user if passkey else None


def _answered(asked: Challenge, answer: str, *, user: User | None, place: Member | None) -> Passkey:
    data = _parsed(answer)
    passkey = _owned(data, user)
    if place is not None and not passkey.places.filter(pk=place.pk).exists():
        raise Invalid(NOT_HERE)
    # Asked before the counter: what passed already and comes again is late, and no sign of a copy.
    if passkey.last_challenge_at is not None and asked.at <= passkey.last_challenge_at:
        raise Invalid(STALE)
    try:
        known: Passkey = _helper().authenticate_complete(passkey.user, asked.state, data)
    except (WebAuthnException, OTPWebAuthnApiError) as error:
        if "sign count" in str(error):
            raise WentBack(passkey) from error
        raise _refused(error) from error
    known.last_challenge_at = asked.at
    known.save(update_fields=["last_challenge_at"])
    return known


def _known(data: dict[str, Any]) -> QuerySet[Passkey]:
    try:
        sha256 = Passkey.get_credential_id_sha256(base64url_to_bytes(data["rawId"]))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise Invalid(NOT_ACCEPTED) from error
    rows: QuerySet[Passkey] = Passkey.objects.select_related("user")
    return rows.filter(credential_id_sha256=sha256, confirmed=True, user__is_active=True)


def _owned(data: dict[str, Any], user: User | None) -> Passkey:
    """The confirmed passkey that the answer names, locked; of `user`, if it must be theirs."""
    try:
        given = base64url_to_bytes(data["response"].get("userHandle") or "")
    except (ValueError, TypeError, AttributeError) as error:
        raise Invalid(NOT_ACCEPTED) from error
    passkey: Passkey | None = _known(data).select_for_update(of=("self",)).first()
    if passkey is None or (user is not None and passkey.user_id != user.pk):
        raise Invalid(NOT_ACCEPTED)
    # Whoever was not named before names themselves (WebAuthn Level 3 §7.2, step 6).
    if (given or user is None) and not hmac.compare_digest(given, passkey.user.handle.bytes):
        raise Invalid(NOT_ACCEPTED)
    return passkey


def _handed_in(kept: str) -> Challenge:
    try:
        said = signing.loads(kept, salt=STRANGERS_SALT, max_age=settings.PASSKEY_CHALLENGE)
    except signing.BadSignature as error:
        raise Invalid(STALE) from error
    found = Challenge(said["value"], datetime.fromisoformat(said["at"]).astimezone(UTC), user=0, subject="")
    if not found.is_fresh:
        raise Invalid(STALE)
    return found


def _remember(store: SessionBase, purpose: Purpose, value: str, *, user: User, subject: str) -> None:
    store[_slot(purpose)] = {"value": value, "at": timezone.now().isoformat(), "user": user.pk, "subject": subject}


def _take(store: SessionBase, purpose: Purpose, *, user: User, subject: str) -> Challenge:
    """The one challenge that waits for this, which then waits no longer, whatever comes of it."""
    kept = store.pop(_slot(purpose), None)
    if not kept:
        raise Invalid(STALE)
    store.save()
    found = Challenge(kept["value"], datetime.fromisoformat(kept["at"]).astimezone(UTC), kept["user"], kept["subject"])
    is_for_this = found.user == user.pk and hmac.compare_digest(found.subject, subject)
    if not found.is_fresh or not is_for_this:
        raise Invalid(STALE)
    return found


def _slot(purpose: Purpose) -> str:
    return f"passkey_{purpose.value}"


def _parsed(answer: str) -> dict[str, Any]:
    try:
        data = json.loads(answer[: LONGEST_ANSWER + 1])
    except (ValueError, RecursionError) as error:
        raise Invalid(NOT_ACCEPTED) from error
    if not isinstance(data, dict) or not isinstance(data.get("response"), dict):
        raise Invalid(NOT_ACCEPTED)
    return data


def _refused(error: Exception) -> Invalid:
    # What exactly was wrong helps whoever looks after the portal, and nobody who tries.
    logger.warning("A passkey was refused: %s", error)
    return Invalid(NOT_ACCEPTED)
