"""The channel `trade`: what others have traded (reference §13)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from portal.api.stream.channels.public import Parameters, Row, allow, flag, symbol_of
from portal.api.stream.numbers import at, number
from portal.venues.protocol import Catalogue
from portal.venues.types import Pair, PublicTrade

# What a snapshot has of them, and the most that are looked for at once: if there are more, the next look finds them.
LAST: Final = 50
MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class Options:
    """Nothing can be chosen but whether to begin with the last trades."""

    snapshot: bool = field(compare=False)


@dataclass(frozen=True, slots=True)
class State:
    """The last trades that were seen, oldest first."""

    trades: tuple[PublicTrade, ...]


def read(params: Parameters, method: str = "subscribe") -> Options:
    """Without `snapshot` there is none: that is how the exchange has this one channel."""
    allow(params, method)
    return Options(snapshot=flag(params, "snapshot", default=False))


def result(options: Options, symbol: str) -> Row:
    """What counts, also where it was left out."""
    return {"channel": "trade", "symbol": symbol, "snapshot": options.snapshot}


def snapshot(subject: Pair, options: Options, state: State) -> list[Row]:
    """The last fifty trades, oldest first."""
    return _rows(subject, state.trades)


def update(venue: Catalogue, subject: Pair, options: Options, before: State | None) -> tuple[list[Row], State]:
    """Each trade once, oldest first."""
    if before is None:
        return [], State(tuple(venue.public_trades(subject.id, None, LAST)))
    since = before.trades[-1].at if before.trades else None
    new = venue.public_trades(subject.id, since, MOST)
    return _rows(subject, new), State((*before.trades, *new)[-LAST:]) if new else before


def _rows(pair: Pair, trades: Iterable[PublicTrade]) -> list[Row]:
    return [
        {
            "symbol": symbol_of(pair),
            "side": "buy" if trade.is_buy else "sell",
            "price": number(trade.price),
            "qty": number(trade.volume),
            "ord_type": "market" if trade.is_market else "limit",
            "trade_id": trade.number,
            "timestamp": at(trade.at),
        }
        for trade in trades
    ]
