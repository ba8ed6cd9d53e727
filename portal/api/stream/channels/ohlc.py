"""The channel `ohlc`: the public trades by intervals (reference §13, §17)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from portal.api.stream.channels.public import Parameters, Refused, Row, allow, flag, symbol_of, whole
from portal.api.stream.numbers import at, at_nanosecond, number
from portal.venues.protocol import Catalogue
from portal.venues.types import Candle, Pair

INTERVALS: Final = (1, 5, 15, 30, 60, 240, 1440, 10_080, 21_600)
# The one under way and the twelve before it, which is what recorded snapshots of the exchange reach back to.
LAST: Final = 13
MICROSECOND: Final = timedelta(microseconds=1)
WARNING: Final = "timestamp is deprecated, use interval_begin"


@dataclass(frozen=True, slots=True)
class Options:
    """How long the intervals are, in minutes."""

    interval: int
    snapshot: bool = field(compare=False)


@dataclass(frozen=True, slots=True)
class State:
    """The last candles that were seen, oldest first."""

    candles: tuple[Candle, ...]


def read(params: Parameters, method: str = "subscribe") -> Options:
    """One minute, unless `interval` says otherwise."""
    allow(params, method, {"interval"})
    interval = whole(params, "interval", default=INTERVALS[0], wrong="Subscription ohlc interval must be an integer")
    if interval not in INTERVALS:
        raise Refused("Subscription ohlc interval not supported")
    return Options(interval, snapshot=flag(params, "snapshot", default=True))


def result(options: Options, symbol: str) -> Row:
    """What counts, also where it was left out, with the word that the exchange adds."""
    return {
        "channel": "ohlc",
        "symbol": symbol,
        "interval": options.interval,
        "snapshot": options.snapshot,
        "warnings": [WARNING],
    }


def snapshot(subject: Pair, options: Options, state: State) -> list[Row]:
    """The last thirteen candles, oldest first; the last of them goes on."""
    return _rows(subject, options, state.candles)


def update(venue: Catalogue, subject: Pair, options: Options, before: State | None) -> tuple[list[Row], State]:
    """The candle under way after each trade; and, where trades of several came at once, those that ended before it."""
    known = before.candles if before else ()
    since = known[-1].begins - MICROSECOND if known else None
    found = tuple(venue.candles(subject.id, options.interval, since, LAST))
    if before is None:
        return [], State(found)
    changed = [candle for candle in found if candle not in known]
    kept = tuple(candle for candle in known if not found or candle.begins < found[0].begins)
    return _rows(subject, options, changed), State((*kept, *found)[-LAST:])


def _rows(pair: Pair, options: Options, candles: Iterable[Candle]) -> list[Row]:
    return [
        {
            "symbol": symbol_of(pair),
            "open": number(candle.open),
            "high": number(candle.high),
            "low": number(candle.low),
            "close": number(candle.close),
            "trades": candle.trades,
            "volume": number(candle.volume),
            "vwap": number(candle.average_price),
            "interval_begin": at_nanosecond(candle.begins),
            "interval": options.interval,
            "timestamp": at(candle.begins + timedelta(minutes=options.interval)),
        }
        for candle in candles
    ]
