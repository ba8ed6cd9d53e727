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
from accounts.refused import Reason
from portal.api import signature, throttle
from portal.api.envelope import ApiError, Error
from portal.api.permissions import COSTS, PERMISSIONS

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
        raise ApiError(Error.TOO_MANY_REQUESTS, reason=Reason.LOCKED_OUT)
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
        wrong = _judge(credential, call, is_signed=is_signed, nonce=nonce, now=now)
        if wrong is None and credential is not None and nonce is not None:
            cost = COSTS.get(call.method, 1.0)
            method = known_method(call.method)
            outcome = keys.spend(credential, nonce=nonce, source=source, cost=cost, now=now, method=method)
            if isinstance(outcome, keys.Spent):
                throttle.passed(source)
                _refuse_excess(credential, outcome.level)
                return credential
            wrong = _unspent(credential, outcome, nonce)
        elif credential is not None and not keys.is_current(credential):
            wrong = None
        if wrong is not None:
            if wrong.error in COUNTED:
                throttle.failed(source, now)
            raise wrong
        # What this process remembered was out of date: judge the key as it is now.
        credential = keys.find(call.key)
    raise ApiError(Error.UNAVAILABLE, reason=Reason.NOT_SERVED)


def parse_nonce(text: str, now: datetime) -> int | None:
    """The nonce of an unsigned decimal text; None if it is none, or more than a day of nanoseconds ahead (AP-6)."""
    if not NONCE.fullmatch(text):
        return None
    nonce = int(text)
    return nonce if nonce <= (int(now.timestamp()) + AHEAD_SECONDS) * 10**9 else None


def known_method(method: str) -> str:
    """The method's name, if there is such a method: what is written down cannot be chosen freely."""
    return method if method in PERMISSIONS else ""


def _judge(
    credential: keys.Credential | None, call: Signed, *, is_signed: bool, nonce: int | None, now: datetime
) -> ApiError | None:
    """Everything that can be said without the key's row; the caller makes sure that it is still true."""
    if credential is None:
        return ApiError(Error.INVALID_KEY, reason=Reason.NO_KEY)
    if credential.has_expired(now):
        return ApiError(Error.INVALID_KEY, credential, reason=Reason.EXPIRED)
    if not _is_allowed(credential, call.source):
        return ApiError(Error.INVALID_KEY, credential, reason=Reason.ADDRESS)
    if throttle.is_locked_out(call.source, now):
        return ApiError(Error.LOCKED_OUT, credential, reason=Reason.LOCKED_OUT)
    if not is_signed:
        return ApiError(Error.INVALID_SIGNATURE, credential, reason=Reason.SIGNATURE)
    if nonce is None:
        is_number = NONCE.fullmatch(call.nonce) is not None
        reason = Reason.NONCE_AHEAD if is_number else Reason.NONCE_MISSING
        return ApiError(Error.INVALID_NONCE, credential, reason=reason, nonce=call.nonce[:20] if is_number else "")
    return None


def _unspent(credential: keys.Credential, outcome: keys.NonceUsed | keys.Refusal, nonce: int) -> ApiError | None:
    """What became of a call that could not be counted; None if the key has changed, and is to be judged anew."""
    if isinstance(outcome, keys.NonceUsed):
        window = {"in_window": "yes"} if nonce > outcome.high - credential.nonce_window else {}
        facts = {"nonce": str(nonce), "high": str(outcome.high), **window}
        return ApiError(Error.INVALID_NONCE, credential, reason=Reason.NONCE_USED, **facts)
    if outcome is keys.Refusal.KEY:
        return ApiError(Error.INVALID_KEY, credential, reason=Reason.EXPIRED)
    return None


def _refuse_excess(credential: keys.Credential, level: float) -> None:
    if level > settings.API_CALLS_MAXIMUM:
        raise ApiError(Error.RATE_LIMIT, credential, reason=Reason.CALLS, level=f"{level:.0f}")


def _is_allowed(credential: keys.Credential, source: str) -> bool:
    if not credential.networks:
        return True
    try:
        address = ip_address(source)
    except ValueError:
        return False
    return any(address in network for network in credential.networks)
