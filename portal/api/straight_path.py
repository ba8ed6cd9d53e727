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
from portal.core.web.proxies import seen

# What most calls say: their nonce and nothing else, or what they have said before beside another nonce.
PLAIN: Final = re.compile(rb"nonce=([0-9]{1,20})(?:&(.{0,400}))?", re.DOTALL)
# No path of a method is longer; what strangers make up is not kept.
LONGEST_PATH: Final = 64
# The length of a body that is looked at here: room for fifty ids of orders.
LENGTH: Final = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)


class _Opened(NamedTuple):
    """A method that only reads, and is told of along with the nonce, as it is open to a key."""

    name: str
    parameters: type[object]
    along: methods.Along
    cost: float
    kind: str


class _Asked(NamedTuple):
    """A call that nothing is wrong with yet; not a byte of its body is read."""

    opened: _Opened
    length: int
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
    opened, length, credential, source, now = asked
    body = exactly(stream, length)
    said = None if body is None else _said(opened, credential, body)
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
            source=source,
            cost=opened.cost,
            now=now,
            method=opened.name,
            is_reading=True,
            reading=reading,
        )
        if not isinstance(outcome, lifecycle.Spent) or outcome.is_over or outcome.told is None:
            return Tried(body, now, credential, is_signed=True, outcome=outcome)
        reply = success(opened.along.shown(parameters, outcome.told))
    except Exception as error:  # noqa: BLE001 - told apart and written down by the ordinary road
        return Tried(body, now, credential, is_signed=True, outcome=error)
    lockout.passed(source, credential.public, lockout.GOOD, now)
    usage.count(credential.public, opened.kind, now)
    return reply


def _asked(meta: Mapping[str, Any], path: str, scheme: str) -> _Asked | None:
    """The call, if all that can be seen before its body is plain."""
    length = meta.get("CONTENT_LENGTH") or ""
    if (
        meta.get("REQUEST_METHOD") != "POST"
        or meta.get("CONTENT_TYPE") != FORM
        or meta.get("QUERY_STRING")
        or "HTTP_API_NONCE" in meta
        or len(path) > LONGEST_PATH
        or not LENGTH.fullmatch(length)
    ):
        return None
    source, is_secure = seen(
        scheme,
        meta.get("REMOTE_ADDR", ""),
        meta.get("HTTP_X_FORWARDED_PROTO", ""),
        meta.get("HTTP_X_FORWARDED_FOR", ""),
    )
    credential = lifecycle.remembered(meta.get("HTTP_API_KEY", "")) if is_secure else None
    if credential is None or not credential.is_plain:
        return None
    opened = _opened(path, credential.permissions, credential.venue)
    now = datetime.now(UTC)
    if opened is None or lockout.standing(source, now) is not lockout.GOOD:
        return None
    return _Asked(opened, int(length), credential, source, now)


@lru_cache(maxsize=1024)
def _opened(path: str, held: frozenset[str], venue: str) -> _Opened | None:
    """What a path means to a key with those permissions, of an Account of that venue; None if that is not plain."""
    method = path.removeprefix(PRIVATE)
    served = methods.PRIVATE.get(method) if method != path else None
    if served is None or served.along is None or method not in permissions.READING:
        return None
    if not permissions.opens(held, method) or (venue, method) in methods.RELAYED:
        return None
    cost, kind = permissions.COSTS.get(method, 1.0), permissions.kind_of(method)
    return _Opened(method, served.parameters, served.along, cost, kind)


def forget() -> None:
    """Look at the tables of methods anew; for tests, which change them."""
    _opened.cache_clear()


def _said(opened: _Opened, credential: Credential, body: bytes) -> tuple[str, object, Reading[Any]] | None:
    """The nonce, the parameters, and what to read for them; None if any of them is not as it should be."""
    plain = PLAIN.fullmatch(body)
    try:
        if plain:
            text, rest = plain[1].decode(), plain[2]
            parameters = opened.along.plain if rest is None else _parameters(opened.name, rest)
        else:
            given = parse(FORM, body)
            text, parameters = given.nonce, read(opened.parameters, given)
            if not NONCE.fullmatch(text):
                return None
        reading = None if parameters is None else opened.along.read(Caller(credential), parameters)
    except Exception:  # noqa: BLE001 - the ordinary road meets it again, and says it in its turn
        return None
    return None if reading is None else (text, parameters, reading)


@lru_cache(maxsize=2048)
def _parameters(method: str, rest: bytes) -> object:
    """What a form says after its nonce: the same whoever says it, and whenever. Raises: what `parse` and `read` do."""
    return read(methods.PRIVATE[method].parameters, parse(FORM, b"nonce=0&" + rest))
