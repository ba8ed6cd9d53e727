"""Tokens for the private part of a socket: given to a key, kept as digests, worth what their key is when shown."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from accounts.api_keys import credentials
from accounts.api_keys.credentials import Credential
from accounts.api_keys.refused_calls import Reason
from accounts.models import ApiKey, StreamToken
from portal.core.secrets.sealing import digest

VALID_FOR: Final = timedelta(minutes=15)
# So long after its end a token is still told apart from one that never was.
TOLD_FOR: Final = timedelta(hours=1)
KEPT: Final = 50
TOKEN_BYTES: Final = 32
TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
# A setting of the key may change while it is being looked at; more often than this it does not.
ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Unaccepted:
    """A token that opens nothing. `public` is the key that it was given to, empty if it was given to none."""

    reason: Reason
    public: str = ""


def issue(credential: Credential) -> str:
    """A token for that key, good for VALID_FOR however often it is shown; of more than KEPT the oldest goes."""
    text, now = secrets.token_urlsafe(TOKEN_BYTES), timezone.now()
    theirs = StreamToken.objects.filter(api_key_id=credential.id)
    with transaction.atomic():
        # One at a time for each key, or two would both find room for the last one.
        ApiKey.objects.select_for_update(no_key=True).values_list("pk").get(pk=credential.id)
        theirs.filter(expires_at__lte=now - TOLD_FOR).delete()
        over = theirs.order_by("-pk").values_list("pk", flat=True)[KEPT - 1 : KEPT].first()
        if over is not None:
            theirs.filter(pk__lte=over).delete()
        StreamToken.objects.create(
            api_key_id=credential.id, digest=digest(text), created_at=now, expires_at=now + VALID_FOR
        )
    return text


def find(token: str) -> Credential | None:
    """The live key of a token that is good now, confirmed by the database; None for every other text."""
    found = look(token)
    return found if isinstance(found, Credential) else None


def look(token: str) -> Credential | Unaccepted:
    """The same with the reason why it is not accepted, for the people who look after the bot; it hears one answer."""
    if not TOKEN.fullmatch(token):
        return Unaccepted(Reason.TOKEN_UNKNOWN)
    kept = StreamToken.objects.filter(digest=digest(token)).values_list("api_key__public", "expires_at").first()
    if kept is None:
        return Unaccepted(Reason.TOKEN_UNKNOWN)
    public, expires_at = kept
    now = timezone.now()
    return Unaccepted(Reason.TOKEN_EXPIRED, public) if expires_at <= now else _live(public, now)


def sweep() -> None:
    """Remove the digests of all tokens that nobody asks about any more."""
    StreamToken.objects.filter(expires_at__lte=timezone.now() - TOLD_FOR).delete()


def _live(public: str, now: datetime) -> Credential | Unaccepted:
    for _ in range(ATTEMPTS):
        credential = credentials.find(public)
        if credential is None:
            break
        if credentials.is_current(credential):
            if credential.has_expired(now):
                return Unaccepted(Reason.EXPIRED, public)
            return credential if credential.websocket else Unaccepted(Reason.STREAM_OFF, public)
    return Unaccepted(Reason.NO_KEY, public)
