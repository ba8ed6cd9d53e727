"""What anybody may see of a pair: its price, its book, its trades (reference §8)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from portal.api.protocol import asset_names
from portal.api.protocol.asset_classes import ABOUT, ASSET_CLASS, CURRENCY, no_pairs
from portal.api.protocol.envelope import JSON
from portal.api.protocol.instants import EPOCH, Instant, Since
from portal.api.protocol.parameter_types import Names, Text, Whole
from portal.api.protocol.parameters import absent, needed, optional
from portal.venues.registry import shown
from portal.venues.types import Level, PublicTrade
from portal.venues.types import Ticker as Market

MAX_LEVELS: Final = 500
MAX_TRADES: Final = 1000
MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticker:
    pair: tuple[str, ...] = optional(Names(), (), "Pairs under any of their names; all without it.")
    asset_class: str = optional(ASSET_CLASS, CURRENCY, ABOUT)
    version: str = optional(asset_names.VERSION, asset_names.IDS, asset_names.ABOUT, name="assetVersion")


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    pair: str = needed(Text(), "A pair under any of its names.")
    count: int = optional(Whole(1, MAX_LEVELS), 100, "Levels on each side.")
    asset_class: str = optional(ASSET_CLASS, CURRENCY, ABOUT)
    version: str = optional(asset_names.VERSION, asset_names.IDS, asset_names.ABOUT, name="assetVersion")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trades:
    pair: str = needed(Text(), "A pair under any of its names.")
    since: datetime | None = absent(Since(), "Trades after this: `last` of the page before, or seconds.")
    count: int = optional(Whole(1, MAX_TRADES), MAX_TRADES, "Trades of a page.")
    asset_class: str = optional(ASSET_CLASS, CURRENCY, ABOUT)
    version: str = optional(asset_names.VERSION, asset_names.IDS, asset_names.ABOUT, name="assetVersion")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    pair: str = needed(Text(), "A pair under any of its names.")
    since: datetime | None = absent(Instant(), "Quotes after this, in seconds.")
    asset_class: str = optional(ASSET_CLASS, CURRENCY, ABOUT)
    version: str = optional(asset_names.VERSION, asset_names.IDS, asset_names.ABOUT, name="assetVersion")


def ticker(parameters: Ticker) -> JSON:
    """Prices now and over the day, under canonical ids. Raises: UnknownPair."""
    if no_pairs(parameters.asset_class, *parameters.pair):
        return {}
    return {
        asset_names.of_pair(market.pair, parameters.version): _ticker_row(market)
        for market in shown().tickers(parameters.pair)
    }


def depth(parameters: Depth) -> JSON:
    """The best levels of the book, best first. Raises: UnknownPair."""
    no_pairs(parameters.asset_class, parameters.pair)
    book = shown().depth(parameters.pair, parameters.count)
    levels: JSON = {"asks": [_level(each) for each in book.asks], "bids": [_level(each) for each in book.bids]}
    return {asset_names.of_pair(book.pair, parameters.version): levels}


def trades(parameters: Trades) -> JSON:
    """Recent trades, oldest first. `last` goes into `since` to go on from there. Raises: UnknownPair."""
    no_pairs(parameters.asset_class, parameters.pair)
    pair = shown().pair(parameters.pair)
    rows = shown().public_trades(pair.id, parameters.since, parameters.count)
    last = rows[-1].at if rows else parameters.since or EPOCH
    name = asset_names.of_pair(pair, parameters.version)
    return {name: [_trade(row) for row in rows], "last": str((last - EPOCH) // MICROSECOND * 1000)}


def spread(parameters: Spread) -> JSON:
    """The best prices of the last while, oldest first. Raises: UnknownPair."""
    no_pairs(parameters.asset_class, parameters.pair)
    pair = shown().pair(parameters.pair)
    rows = shown().spread(pair.id, parameters.since)
    last = rows[-1].at if rows else parameters.since or EPOCH
    quotes: JSON = [[int(row.at.timestamp()), f"{row.bid:f}", f"{row.ask:f}"] for row in rows]
    return {asset_names.of_pair(pair, parameters.version): quotes, "last": int(last.timestamp())}


def _ticker_row(market: Market) -> JSON:
    today, day = market.today, market.day
    return {
        "a": _best(market.ask),
        "b": _best(market.bid),
        "c": [f"{market.last.price:f}", f"{market.last.volume:f}"],
        "v": [f"{today.volume:f}", f"{day.volume:f}"],
        "p": [f"{today.average_price:f}", f"{day.average_price:f}"],
        "t": [today.trades, day.trades],
        "l": [f"{today.low:f}", f"{day.low:f}"],
        "h": [f"{today.high:f}", f"{day.high:f}"],
        "o": f"{market.opened:f}",
    }


def _best(level: Level) -> JSON:
    return [f"{level.price:f}", f"{level.volume.to_integral_value(rounding='ROUND_DOWN'):f}", f"{level.volume:f}"]


def _level(level: Level) -> JSON:
    return [f"{level.price:f}", f"{level.volume:f}", int(level.at.timestamp())]


def _trade(row: PublicTrade) -> JSON:
    side, kind = "b" if row.is_buy else "s", "m" if row.is_market else "l"
    return [f"{row.price:f}", f"{row.volume:f}", row.at.timestamp(), side, kind, "", row.number]
