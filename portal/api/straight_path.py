"""The straight path: a call that only reads, of a plain key, answered by one function and one statement.

It makes the checks of `authentication`, in their order, for what most calls are: a short form, of a key without
expiry, allow-list or window, from a source that stands well. It answers only where nothing is wrong. Everything else
goes the ordinary road, which alone knows how a call is refused and written down, and is told what was found out so far,
so that no secret is looked at twice and no nonce is spent twice.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from accounts.api_keys import lifecycle, usage
from accounts.api_keys.lifecycle import Credential
from portal.api import methods, permissions
from portal.api.authentication import AHEAD_SECONDS, NONCE
from portal.api.call import Caller, Reply, Tried
from portal.api.gateway import PRIVATE
from portal.api.limits import lockout
from portal.api.protocol import signature
from portal.api.protocol.envelope import success
from portal.api.protocol.parameters import read
from portal.api.protocol.request_body import FORM, parse
from portal.api.request_bodies import Stream, exactly
from portal.core.database.reading import Reading
from portal.core.web.proxies import is_secure, source_address

# What most calls say: their nonce and nothing else, or what they have said before beside another nonce.
PLAIN: Final = re.compile(rb"nonce=([0-9]{1,20})(?:&(.{0,400}))?", re.DOTALL)
# The length of a body that is looked at here: room for fifty ids of orders.
LENGTH: Final = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)


class _Asked(NamedTuple):
    """A call that nothing is wrong with yet; not a byte of its body is read."""

    method: str
    served: methods.PrivateMethod
    along: methods.Along
    credential: Credential
    source: str
    now: datetime


def answer(meta: Mapping[str, Any], stream: Stream, *, path: str, scheme: str) -> Reply | Tried | None:
    """The answer to a call of which nothing is wrong; else what was found out about it, None before it was read.

    `meta` are its WSGI variables.
    """
    asked = _asked(meta, path, scheme)
    if asked is None:
        return None
    credential, now = asked.credential, asked.now
    body = exactly(stream, int(meta["CONTENT_LENGTH"]))
    said = None if body is None else _said(asked, body)
    if body is None or said is None:
        return Tried(body, now)
    text, parameters, reading = said
    if not signature.matches(credential.hmac, meta.get("HTTP_API_SIGN", ""), path=path, nonce=text, body=body):
        return Tried(body, now, credential)
    nonce = int(text)
    if nonce > (int(now.timestamp()) + AHEAD_SECONDS) * 10**9:
        return Tried(body, now, credential, is_signed=True)
    try:
        outcome = lifecycle.spend(
            credential,
            nonce=nonce,
            source=asked.source,
            cost=permissions.COSTS.get(asked.method, 1.0),
            now=now,
            method=asked.method,
            is_reading=True,
            reading=reading,
        )
        if not isinstance(outcome, lifecycle.Spent) or outcome.is_over or outcome.told is None:
            return Tried(body, now, credential, is_signed=True, outcome=outcome)
        reply = success(asked.along.shown(parameters, outcome.told))
    except Exception as error:  # noqa: BLE001 - told apart and written down by the ordinary road
        return Tried(body, now, credential, is_signed=True, outcome=error)
    lockout.passed(asked.source, credential.public, lockout.GOOD, now)
    usage.count(credential.public, permissions.kind_of(asked.method), now)
    return reply


def _asked(meta: Mapping[str, Any], path: str, scheme: str) -> _Asked | None:
    """The call, if all that can be seen before its body is plain."""
    method = path.removeprefix(PRIVATE)
    served = methods.PRIVATE.get(method) if method != path else None
    if served is None or served.along is None or method not in permissions.READING:
        return None
    if (
        meta.get("REQUEST_METHOD") != "POST"
        or meta.get("CONTENT_TYPE") != FORM
        or meta.get("QUERY_STRING")
        or "HTTP_API_NONCE" in meta
        or not LENGTH.fullmatch(meta.get("CONTENT_LENGTH") or "")
    ):
        return None
    peer = meta.get("REMOTE_ADDR", "")
    if not is_secure(scheme, peer, meta.get("HTTP_X_FORWARDED_PROTO", "")):
        return None
    credential = lifecycle.remembered(meta.get("HTTP_API_KEY", ""))
    if credential is None or not credential.is_plain or not permissions.opens(credential.permissions, method):
        return None
    if (credential.venue, method) in methods.RELAYED:
        return None
    source, now = source_address(peer, meta.get("HTTP_X_FORWARDED_FOR", "")), datetime.now(UTC)
    if lockout.standing(source, now) is not lockout.GOOD:
        return None
    return _Asked(method, served, served.along, credential, source, now)


def _said(asked: _Asked, body: bytes) -> tuple[str, object, Reading[Any]] | None:
    """The nonce, the parameters, and what to read for them; None if any of them is not as it should be."""
    plain = PLAIN.fullmatch(body)
    try:
        if plain:
            text, rest = plain[1].decode(), plain[2]
            parameters = asked.along.plain if rest is None else _parameters(asked.method, rest)
        else:
            given = parse(FORM, body)
            text, parameters = given.nonce, read(asked.served.parameters, given)
        if parameters is None or not NONCE.fullmatch(text):
            return None
        reading = asked.along.read(Caller(asked.credential), parameters)
    except Exception:  # noqa: BLE001 - the ordinary road meets it again, and says it in its turn
        return None
    return None if reading is None else (text, parameters, reading)


@lru_cache(maxsize=2048)
def _parameters(method: str, rest: bytes) -> object:
    """What a form says after its nonce: the same whoever says it, and whenever. Raises: what `parse` and `read` do."""
    return read(methods.PRIVATE[method].parameters, parse(FORM, b"nonce=0&" + rest))
