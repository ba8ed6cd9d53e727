"""The channel `book`: the best levels of both sides, and each change of them (reference §13, §17).

A client keeps a book of its own, as deep as it subscribed to. It takes over each level of an update, drops one at which
nothing is left, and drops what lies beyond the depth; some cut their book after each single level. So what is gone is
told first: then nothing that is still wanted is ever beyond the depth.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeAlias

from portal.api.stream.channels.checksum import Offer, checksum
from portal.api.stream.channels.public import Parameters, Refused, Row, allow, flag, symbol_of, whole
from portal.api.stream.numbers import at, number
from portal.venues.protocol import Catalogue
from portal.venues.types import Level, Pair

DEPTHS: Final = (10, 25, 100, 500, 1000)
NOTHING: Final = Decimal(0)
# Best first.
Side: TypeAlias = tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Options:
    """How many levels of each side, at most."""

    depth: int
    snapshot: bool = field(compare=False)


@dataclass(frozen=True, slots=True)
class State:
    """The book at one moment, as deep as was asked; `at` is that of its youngest level."""

    asks: Side
    bids: Side
    at: datetime | None


def read(params: Parameters, method: str = "subscribe") -> Options:
    """Ten levels, unless `depth` says otherwise."""
    allow(params, method, {"depth"})
    depth = whole(params, "depth", default=DEPTHS[0], wrong="Subscription book depth must be an integer")
    if depth not in DEPTHS:
        raise Refused("Subscription depth not supported")
    return Options(depth, snapshot=flag(params, "snapshot", default=True))


def result(options: Options, symbol: str) -> Row:
    """What counts, also where it was left out."""
    return {"channel": "book", "symbol": symbol, "depth": options.depth, "snapshot": options.snapshot}


def snapshot(subject: Pair, options: Options, state: State) -> list[Row]:
    """All levels there are, up to the depth."""
    return [_row(subject, state, bids=state.bids, asks=state.asks)]


def update(venue: Catalogue, subject: Pair, options: Options, before: State | None) -> tuple[list[Row], State]:
    """The levels that are new, gone, or hold another quantity."""
    book = venue.depth(subject.id, options.depth)
    youngest = max((level.at for level in (*book.asks, *book.bids)), default=None)
    state = State(_side(book.asks), _side(book.bids), youngest)
    if before is None or (before.asks, before.bids) == (state.asks, state.bids):
        return [], state
    asks = _changes(before.asks, state.asks, options.depth, better=1)
    bids = _changes(before.bids, state.bids, options.depth, better=-1)
    return [_row(subject, state, bids=bids, asks=asks)], state


def _side(levels: Sequence[Level]) -> Side:
    return tuple((level.price, level.volume) for level in levels)


def _changes(before: Side, now: Side, depth: int, *, better: int) -> list[Offer]:
    """What is gone, and then what is new, best first.

    A full side pushes out by itself what is worse than its last level: of that nothing is said.
    """
    there, known = dict(now), dict(before)
    pushed_out = better * now[-1][0] if len(now) == depth else None
    gone = [
        (price, NOTHING)
        for price in known
        if price not in there and (pushed_out is None or better * price < pushed_out)
    ]
    return gone + [(price, volume) for price, volume in now if known.get(price) != volume]


def _row(pair: Pair, state: State, *, bids: Sequence[Offer], asks: Sequence[Offer]) -> Row:
    places = {"price_places": pair.price_decimals, "volume_places": pair.volume_decimals}
    row: Row = {
        "symbol": symbol_of(pair),
        "bids": [{"price": number(price), "qty": number(volume)} for price, volume in bids],
        "asks": [{"price": number(price), "qty": number(volume)} for price, volume in asks],
        "checksum": checksum(state.asks, state.bids, **places),
    }
    return row if state.at is None else row | {"timestamp": at(state.at)}
