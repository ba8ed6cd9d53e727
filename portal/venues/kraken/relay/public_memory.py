"""Public calls, sent on: each answer is good for a second, and one refresh of it is under way at a time."""

import re
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from portal.core.errors import Invalid, Unavailable
from portal.venues.kraken import calling, exchanges
from portal.venues.kraken.upstream.envelope import JSON_TYPES
from portal.venues.kraken.upstream.room import NOBODY, room
from portal.venues.relaying import RelayedAnswer

GOOD_SECONDS: Final = 1.0
CALL_SECONDS: Final = 10.0
MOST_QUERIES: Final = 2_000
MOST_BYTES: Final = 64 * 1024 * 1024
METHOD: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,39}(/[A-Za-z][A-Za-z0-9]{0,39})?", re.ASCII)
QUERY: Final = re.compile(r"[A-Za-z0-9%&=+.,:/_\-\[\]*~!'();@$]{0,2000}", re.ASCII)
NO_CALL: Final = "That is no call of a public method."


@dataclass(slots=True)
class _Kept:
    """One query: its answer or what was raised instead, until when, and the lock of whoever refreshes it."""

    lock: Lock = field(default_factory=Lock)
    answer: RelayedAnswer | Unavailable | None = None
    good_until: float = 0.0


_kept: OrderedDict[tuple[str, str, str], _Kept] = OrderedDict()
_lock = Lock()


def asked(method: str, query: str) -> RelayedAnswer | None:
    """The exchange's answer to a public call, a second old at most; None where no exchange is public.

    Raises: Invalid for what is no call; Unavailable while the exchange does not answer; Conflict while too many wait.
    """
    exchange = exchanges.public()
    if exchange is None:
        return None
    if not METHOD.fullmatch(method) or not QUERY.fullmatch(query):
        raise Invalid(NO_CALL)
    kept = _place(exchange.url, method, query)
    if time.monotonic() >= kept.good_until:
        # Whoever waits for the exchange, or for somebody who does, holds a thread.
        with room.one(NOBODY), kept.lock:
            if time.monotonic() >= kept.good_until:
                kept.answer = _refreshed(exchange.url, method, query)
                kept.good_until = time.monotonic() + GOOD_SECONDS
    answer = kept.answer
    if isinstance(answer, Unavailable):
        raise type(answer)(answer.message)
    return answer


def forget_all() -> None:
    """Begin anew; for tests, which share a process."""
    with _lock:
        _kept.clear()


def _refreshed(url: str, method: str, query: str) -> RelayedAnswer | Unavailable:
    try:
        answer = calling.ask_public(url, method, query, seconds=CALL_SECONDS)
    except Unavailable as error:
        return error
    return RelayedAnswer(answer.body, JSON_TYPES[0], answer.errors)


def _place(url: str, method: str, query: str) -> _Kept:
    key = url, method, query
    with _lock:
        kept = _kept.get(key)
        if kept is None:
            while len(_kept) >= MOST_QUERIES or _bytes() > MOST_BYTES:
                _kept.popitem(last=False)
            kept = _kept[key] = _Kept()
        _kept.move_to_end(key)
        return kept


def _bytes() -> int:
    return sum(len(kept.answer.body) for kept in _kept.values() if isinstance(kept.answer, RelayedAnswer))
