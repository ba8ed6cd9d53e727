"""Whose call it is. The checks stand here in the order of the protocol reference §2, and nowhere else (AP-7).

1 body and transport    middleware and gateway
2 key, 3 source address, 4 lockout, 5 signature, 6 nonce, 7 call counter    here
8 method, 9 permission, 10 parameters, 11 the operation    gateway
"""

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Final

from django.conf import settings
from django.utils import timezone

from accounts import keys
from portal.api import signature, throttle
from portal.api.envelope import ApiError, Error
from portal.api.permissions import COSTS

NONCE: Final = re.compile(r"[0-9]{1,20}", re.ASCII)
AHEAD_SECONDS: Final = 24 * 3600
# A setting of the key may change while its call is being judged; more often than this in one call it does not.
ATTEMPTS: Final = 3
# Failures that count towards a lockout of their source. A repeated nonce is a bot's own mistake.
COUNTED: Final = (Error.INVALID_KEY, Error.INVALID_SIGNATURE)
# A call without a live key is checked against this one, so that it takes as long as any other.
NOBODY: Final = hmac.new(secrets.token_bytes(64), digestmod="sha512")


@dataclass(frozen=True, slots=True)
class Signed:
    """What of a call is judged here. `source` is the trusted address; `method` decides the call counter's cost."""

    path: str
    method: str
    key: str
    signature: str
    nonce: str
    body: bytes
    source: str


def authenticate(call: Signed) -> keys.Credential:
    """The credential of a call whose nonce is now spent, whatever becomes of the call.

    Raises: ApiError with the first check that fails.
    """
    now = timezone.now()
    source = call.source
    if throttle.is_flooding(source, now):
        raise ApiError(Error.TOO_MANY_REQUESTS)
    credential = keys.find(call.key)
    # Once, whoever calls and whatever is wrong with the key. It holds for every later look at the same key: a key
    # never changes its secret.
    is_signed = signature.matches(
        credential.hmac if credential else NOBODY,
        call.signature,
        path=call.path,
        nonce=call.nonce,
        body=call.body,
    )
    nonce = parse_nonce(call.nonce, now)
    for _ in range(ATTEMPTS):
        error = _judge(credential, source=source, is_signed=is_signed, nonce=nonce, now=now)
        if error is None and credential is not None and nonce is not None:
            cost = COSTS.get(call.method, 1.0)
            outcome = keys.spend(credential, nonce=nonce, source=source, cost=cost, now=now)
            if isinstance(outcome, keys.Spent):
                throttle.passed(source)
                if outcome.level > settings.API_CALLS_MAXIMUM:
                    raise ApiError(Error.RATE_LIMIT)
                return credential
            error = {keys.Refusal.KEY: Error.INVALID_KEY, keys.Refusal.NONCE: Error.INVALID_NONCE}.get(outcome)
        elif credential is not None and not keys.is_current(credential):
            error = None
        if error is not None:
            if error in COUNTED:
                throttle.failed(source, now)
            raise ApiError(error, credential)
        # What this process remembered was out of date: judge the key as it is now.
        credential = keys.find(call.key)
    raise ApiError(Error.UNAVAILABLE)


def parse_nonce(text: str, now: datetime) -> int | None:
    """The nonce of an unsigned decimal text; None if it is none, or more than a day of nanoseconds ahead (AP-6)."""
    if not NONCE.fullmatch(text):
        return None
    nonce = int(text)
    return nonce if nonce <= (int(now.timestamp()) + AHEAD_SECONDS) * 10**9 else None


def _judge(
    credential: keys.Credential | None, *, source: str, is_signed: bool, nonce: int | None, now: datetime
) -> Error | None:
    """Everything that can be said without the key's row; the caller makes sure that it is still true."""
    if credential is None or credential.has_expired(now) or not _is_allowed(credential, source):
        return Error.INVALID_KEY
    if throttle.is_locked_out(source, now):
        return Error.LOCKED_OUT
    if not is_signed:
        return Error.INVALID_SIGNATURE
    return Error.INVALID_NONCE if nonce is None else None


def _is_allowed(credential: keys.Credential, source: str) -> bool:
    if not credential.networks:
        return True
    try:
        address = ip_address(source)
    except ValueError:
        return False
    return any(address in network for network in credential.networks)
