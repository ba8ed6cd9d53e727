"""What a bot puts on the wire, whole, so that nothing is worked out while time is taken."""

import hmac
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count, cycle
from typing import Final, TypeAlias
from urllib.parse import urlencode

from tests.serving import HOST

FORM: Final = "application/x-www-form-urlencoded"
# The whole bytes of the next request; another one each time.
Requests: TypeAlias = Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Key:
    """Both halves of an API key, and the address its bot calls from, as the proxy in front of the portal says it."""

    public: str
    secret: str
    source: str


def signed(key: Key, method: str, fields: Callable[[int], Mapping[str, str]] | None = None) -> Requests:
    """Signed calls of a private method; `fields` says what the call of that number asks.

    Nonces rise from the clock in nanoseconds, so that what was made and never sent stands in nobody's way.
    """
    path = f"/0/private/{method}"
    keyed = hmac.new(b64decode(key.secret), digestmod="sha512")
    numbers = count()
    last = 0

    def request() -> bytes:
        nonlocal last
        last = max(last + 1, time.time_ns())
        nonce = str(last)
        body = urlencode({"nonce": nonce, **(fields(next(numbers)) if fields else {})}).encode()
        mac = keyed.copy()
        mac.update(path.encode() + sha256(nonce.encode() + body).digest())
        sign = b64encode(mac.digest()).decode()
        return _behind_proxy(f"POST {path} HTTP/1.1", key, f"API-Key: {key.public}", f"API-Sign: {sign}", body=body)

    return request


def in_turn(each: Sequence[Requests]) -> Requests:
    """One of them after the other."""
    turns = cycle(each)

    def request() -> bytes:
        return next(turns)()

    return request


def plain(path: str, key: Key, *headers: str) -> Requests:
    """The same GET each time."""
    whole = _behind_proxy(f"GET {path} HTTP/1.1", key, *headers)
    return lambda: whole


def _behind_proxy(first: str, key: Key, *headers: str, body: bytes = b"") -> bytes:
    content = [f"Content-Type: {FORM}", f"Content-Length: {len(body)}"] if body else []
    lines = [first, f"Host: {HOST}", f"X-Forwarded-For: {key.source}", "X-Forwarded-Proto: https", *headers, *content]
    return "\r\n".join([*lines, "", ""]).encode() + body
