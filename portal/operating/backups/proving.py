"""Proves in a restored database that what was signed before counts no more: calls are signed as their bots sign them.

The secrets are in the database, sealed; so a call that somebody may have captured can be made here. It is judged by
what judges every call, up to its nonce, and asks for nothing.
"""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.utils import timezone

from accounts.api_keys import lifecycle
from accounts.models import ApiKey
from accounts.security import after_restore
from portal.api.authentication import authenticate
from portal.api.call import Call
from portal.api.protocol.envelope import ApiError, Error
from portal.core.secrets.request_signature import compute

METHOD: Final = "Balance"
PATH: Final = f"/0/private/{METHOD}"
HERE: Final = "127.0.0.1"
# Every key is lifted; of so many it is shown.
TRIED: Final = 1000


class NotProved(Exception):
    """It is not so. The text is for the operator."""


@dataclass(frozen=True, slots=True)
class Captured:
    """A call as it went over the wire."""

    call: Call
    body: bytes
    nonce: str

    def send(self) -> Error | None:
        """What it is answered, None for the answer that was asked for. It may spend its nonce."""
        try:
            authenticate(self.call, self.body, method=METHOD, nonce=self.nonce, along=lambda _credential: None)
        except ApiError as error:
            return error.error
        return None


def captured() -> list[Captured]:
    """For each live key the latest call that its bot can have signed: with the present as its nonce, by its clock."""
    found = []
    for key, credential in _live():
        nonce = int(timezone.now().timestamp() * (after_restore.clock_of(key) or after_restore.FINEST))
        if nonce > key.last_nonce:
            found.append(signed(credential, nonce))
    return found


def passes_before() -> bool:
    """Whether a call with the next nonce still passes, of the first key there is; its nonce is spent by that.

    False where no key is live. Raises: NotProved if it does not: what is refused later would prove nothing.
    """
    for key, credential in _live():
        answer = signed(credential, key.last_nonce + 1).send()
        if answer not in {None, Error.RATE_LIMIT}:
            raise NotProved(f"A call that should still pass here was refused: {answer}.")
        return True
    return False


def refused(calls: list[Captured]) -> int:
    """How many those are, all of which are refused for their nonce. Raises: NotProved if one is not."""
    for call in calls:
        answer = call.send()
        if answer is not Error.INVALID_NONCE:
            raise NotProved(f"A call that was signed before was answered {answer or 'as if it were new'}.")
    return len(calls)


def signed(credential: lifecycle.Credential, nonce: int) -> Captured:
    """A call that reads a balance, as the bot of that key signs it, from an address that it may call from."""
    stated = str(nonce)
    body = f"nonce={stated}".encode()
    mark = b64encode(compute(credential.hmac, path=PATH, nonce=stated, body=body)).decode()
    source = str(credential.networks[0].network_address) if credential.networks else HERE
    call = Call(
        verb="POST",
        path=PATH,
        query="",
        body=body,
        media_type="application/x-www-form-urlencoded",
        key=credential.public,
        signature=mark,
        source=source,
        is_secure=True,
    )
    return Captured(call, body, stated)


def _live() -> Iterator[tuple[ApiKey, lifecycle.Credential]]:
    """The keys that work, each with what judges its calls."""
    for key in ApiKey.objects.filter(is_active=True).order_by("pk")[:TRIED]:
        credential = lifecycle.find(key.public)
        if credential is not None and not credential.has_expired(timezone.now()):
            yield key, credential
