"""Whose call it is. The checks stand here in the order of the protocol reference §2, and nowhere else (AP-7).

1 body and transport    middleware and gateway
2 key, 3 source address, 4 lockout, 5 signature, 6 nonce, 7 call counter    here
8 method, 9 permission, 10 parameters, 11 the operation    gateway
"""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Final

from django.utils import timezone

from accounts.api_keys import lifecycle
from accounts.api_keys.refused_calls import Reason
from portal.api.call import Call
from portal.api.limits import lockout
from portal.api.permissions import COSTS, PERMISSIONS, READING
from portal.api.protocol import signature
from portal.api.protocol.envelope import ApiError, Error
from portal.core.database.reading import Reading
from portal.core.secrets.request_signature import keyed_with

NONCE: Final = re.compile(r"[0-9]{1,20}", re.ASCII)
AHEAD_SECONDS: Final = 24 * 3600
# A setting of the key may change while its call is being judged; more often than this in one call it does not.
ATTEMPTS: Final = 3
# Failures that count towards a lockout of their source. A repeated nonce is a bot's own mistake.
COUNTED: Final = (Error.INVALID_KEY, Error.INVALID_SIGNATURE)
# A call without a live key is checked against this one, so that it takes as long as any other.
NOBODY: Final = keyed_with(secrets.token_bytes(64))


@dataclass(frozen=True, slots=True)
class _Claim:
    """What was found out about the call itself, whatever its key is like by now. `along`: what to read for a key."""

    call: Call
    method: str
    is_locked_out: bool
    is_signed: bool
    stated_nonce: str
    nonce: int | None
    now: datetime
    along: Callable[[lifecycle.Credential], Reading[object] | None]


def authenticate(
    call: Call,
    body: bytes,
    *,
    method: str,
    nonce: str,
    along: Callable[[lifecycle.Credential], Reading[object] | None],
) -> tuple[lifecycle.Credential, object]:
    """The credential of a call whose nonce is now spent, whatever becomes of the call; and what was read along.

    `body` is the call's, which has one by now, and `nonce` what it says there; `method` decides the counter's cost.
    `along` says what may be read for the key in the same statement.

    Raises: ApiError with the first check that fails.
    """
    tried = call.tried
    first = tried.outcome if tried else None
    if isinstance(first, Exception):
        raise first
    now = tried.now if tried else timezone.now()
    standing = lockout.GOOD if tried else lockout.standing(call.source, now)
    is_known = standing is lockout.GOOD or lockout.is_known(call.source, call.key, now)
    if standing.is_flooding and not is_known:
        raise ApiError(Error.TOO_MANY_REQUESTS, reason=Reason.LOCKED_OUT)
    credential = tried.credential if tried else lifecycle.find(call.key)
    # Once, whoever calls and whatever is wrong with the key. It holds for every later look at the same key: a key
    # never changes its secret.
    is_signed = tried.is_signed if tried else _is_signed(call, body, nonce, credential)
    if standing.is_flooding and not is_signed:
        # Somebody beside the bot, who knows its public half.
        raise ApiError(Error.TOO_MANY_REQUESTS, credential, reason=Reason.LOCKED_OUT)
    is_locked_out = standing.is_locked_out and not (is_known and is_signed)
    claim = _Claim(call, method, is_locked_out, is_signed, nonce, parse_nonce(nonce, now), now, along)
    for _ in range(ATTEMPTS):
        outcome = _spend(credential, claim, first)
        if isinstance(outcome, lifecycle.Spent) and credential is not None:
            lockout.passed(call.source, call.key, standing, now)
            if outcome.is_over:
                raise ApiError(Error.RATE_LIMIT, credential, reason=Reason.CALLS, level=f"{outcome.level:.0f}")
            return credential, outcome.told
        if isinstance(outcome, ApiError):
            _count(outcome.error, claim)
            raise outcome
        # What this process remembered was out of date: judge the key as it is now.
        credential, first = lifecycle.find(call.key), None
    raise ApiError(Error.UNAVAILABLE, reason=Reason.NOT_SERVED)


def _spend(
    credential: lifecycle.Credential | None, claim: _Claim, first: lifecycle.Outcome | None
) -> lifecycle.Spent | ApiError | None:
    """Judge the call, and use its nonce up if nothing is wrong; None if the key has changed meanwhile.

    `first` is what became of the nonce, where that was tried before.
    """
    wrong = _judge(credential, claim)
    if wrong is None and credential is not None and claim.nonce is not None:
        spent = first or lifecycle.spend(
            credential,
            nonce=claim.nonce,
            source=claim.call.source,
            cost=COSTS.get(claim.method, 1.0),
            now=claim.now,
            method=known_method(claim.method),
            is_reading=claim.method in READING,
            reading=claim.along(credential),
        )
        return spent if isinstance(spent, lifecycle.Spent) else _unspent(credential, spent, claim.nonce)
    return wrong if credential is None or lifecycle.is_current(credential) else None


def _count(error: Error, claim: _Claim) -> None:
    """Against the source of a refused call."""
    if error in COUNTED:
        lockout.failed(claim.call.source, claim.now)
    if error is Error.LOCKED_OUT:
        lockout.asked_while_locked_out(claim.call.source, claim.now)


def parse_nonce(text: str, now: datetime) -> int | None:
    """The nonce of an unsigned decimal text; None if it is none, or more than a day of nanoseconds ahead (AP-6)."""
    if not NONCE.fullmatch(text):
        return None
    nonce = int(text)
    return nonce if nonce <= (int(now.timestamp()) + AHEAD_SECONDS) * 10**9 else None


def known_method(method: str) -> str:
    """The method's name, if there is such a method: what is written down cannot be chosen freely."""
    return method if method in PERMISSIONS else ""


def is_allowed(credential: lifecycle.Credential, source: str) -> bool:
    """Whether the key may be used from that address."""
    if not credential.networks:
        return True
    try:
        address = ip_address(source)
    except ValueError:
        return False
    return any(address in network for network in credential.networks)


def _judge(credential: lifecycle.Credential | None, claim: _Claim) -> ApiError | None:
    """Everything that can be said without the key's row; the caller makes sure that it is still true."""
    if credential is None:
        return ApiError(Error.INVALID_KEY, reason=Reason.NO_KEY)
    if credential.has_expired(claim.now):
        return ApiError(Error.INVALID_KEY, credential, reason=Reason.EXPIRED)
    if not is_allowed(credential, claim.call.source):
        return ApiError(Error.INVALID_KEY, credential, reason=Reason.ADDRESS)
    if claim.is_locked_out:
        return ApiError(Error.LOCKED_OUT, credential, reason=Reason.LOCKED_OUT)
    if not claim.is_signed:
        return ApiError(Error.INVALID_SIGNATURE, credential, reason=Reason.SIGNATURE)
    if claim.nonce is None:
        text = claim.stated_nonce
        is_number = NONCE.fullmatch(text) is not None
        reason = Reason.NONCE_AHEAD if is_number else Reason.NONCE_MISSING
        return ApiError(Error.INVALID_NONCE, credential, reason=reason, nonce=text[:20] if is_number else "")
    return None


def _unspent(
    credential: lifecycle.Credential, outcome: lifecycle.NonceUsed | lifecycle.Refusal, nonce: int
) -> ApiError | None:
    """What became of a call that could not be counted; None if the key has changed, and is to be judged anew."""
    if isinstance(outcome, lifecycle.NonceUsed):
        window = {"in_window": "yes"} if nonce > outcome.high - credential.nonce_window else {}
        facts = {"nonce": str(nonce), "high": str(outcome.high), **window}
        return ApiError(Error.INVALID_NONCE, credential, reason=Reason.NONCE_USED, **facts)
    if outcome is lifecycle.Refusal.KEY:
        return ApiError(Error.INVALID_KEY, credential, reason=Reason.EXPIRED)
    return None


def _is_signed(call: Call, body: bytes, nonce: str, credential: lifecycle.Credential | None) -> bool:
    keyed = credential.hmac if credential else NOBODY
    return signature.matches(keyed, call.signature, path=call.path, nonce=nonce, body=body)
