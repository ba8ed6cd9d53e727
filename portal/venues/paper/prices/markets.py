"""What everybody may see: ticker, depth, best prices, and what an amount is worth."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from threading import Lock
from typing import Final

from django.utils import timezone

from portal.core.money import from_units
from portal.venues.paper import catalogue
from portal.venues.paper.prices import quotes, source
from portal.venues.paper.prices.pairs import as_price
from portal.venues.paper.prices.path import TRADE_OCTAVE, Path, step_at, time_of
from portal.venues.paper.prices.public_trades import extremes, trade, traded
from portal.venues.types import Asset, Book, Level, Pair, Priced, Quote, Side, Ticker, Window

MOST_QUOTES = 200
AVERAGED = 96
HOUR, DAY = (int(span.total_seconds()) >> TRADE_OCTAVE for span in (timedelta(hours=1), timedelta(days=1)))


def tickers(names: Sequence[str]) -> list[Ticker]:
    """See Catalogue.tickers."""
    pairs = [catalogue.pair(name) for name in names] if names else list(catalogue.PAIRS)
    path, step = source.path(), step_at(timezone.now())
    return [_ticker(path, pair, step) for pair in pairs]


def depth(name: str, count: int) -> Book:
    """See Catalogue.depth."""
    pair, path, step = catalogue.pair(name), source.path(), step_at(timezone.now())
    asks, bids = (_levels(path, pair, step, side, count) for side in (Side.BUY, Side.SELL))
    return Book(pair, asks=asks, bids=bids)


def spread(name: str, since: datetime | None) -> list[Quote]:
    """See Catalogue.spread."""
    pair, path, last = catalogue.pair(name), source.path(), step_at(timezone.now())
    begin = last - MOST_QUOTES + 1
    if since is not None:
        begin = max(begin, step_at(since) + 1)
    return [_quote(path, pair, step) for step in range(begin, last + 1)]


def convert(asset: str, units: int, into: str) -> Decimal:
    """See Catalogue.convert."""
    return worth(catalogue.asset(asset), units, catalogue.asset(into), step_at(timezone.now()))


def worth(asset: Asset, units: int, into: Asset, step: int) -> Decimal:
    """`units` of `asset` in `into` at the reference prices of a step, rounded down; through dollars if it must be."""
    if asset == into:
        return from_units(units, asset.decimals)
    amount = from_units(units, asset.decimals)
    for path_through in ((into,), (catalogue.USD, into)):
        found, at = amount, asset
        for target in path_through:
            rate = _rate(at, target, step)
            if rate is None:
                break
            found, at = found * rate[0] / rate[1], target
        else:
            return from_units(int(found.scaleb(into.decimals)), into.decimals)
    return from_units(0, into.decimals)


def price(asset: str, into: str) -> Priced | None:
    """See Pricing.price: by the reference prices of this second, unrounded."""
    base, target, step = catalogue.asset(asset), catalogue.asset(into), step_at(timezone.now())
    direct = _rate(base, target, step)
    legs = [direct] if direct else [_rate(base, catalogue.USD, step), _rate(catalogue.USD, target, step)]
    worth = Fraction(1)
    for leg in legs:
        if leg is None:
            return None
        worth *= Fraction(leg[0]) / Fraction(leg[1])
    return Priced(worth, time_of(step))


def _rate(base: Asset, quote: Asset, step: int) -> tuple[Decimal, Decimal] | None:
    """What one of `base` is worth in `quote`, as a fraction; None if nothing trades between them."""
    if base == quote:
        return Decimal(1), Decimal(1)
    for pair in catalogue.PAIRS:
        if {pair.base, pair.quote} == {base, quote}:
            price = from_units(source.path().mid(pair.id, step), pair.price_decimals)
            return (price, Decimal(1)) if pair.base == base else (Decimal(1), price)
    return None


# What made up a day is sought once for all who ask meanwhile: many at once would each seek the same, and stop the bots.
_seeking: Final = Lock()


# The same for everybody who asks within a step, whoever asks how often.
@lru_cache(maxsize=4 * len(catalogue.PAIRS))
def _ticker(path: Path, pair: Pair, step: int) -> Ticker:
    last = step >> TRADE_OCTAVE
    with _seeking:
        today, day = _windows(path, pair, last)
    latest = trade(path, pair, last)
    return Ticker(
        pair=pair,
        ask=_levels(path, pair, step, Side.BUY, 1)[0],
        bid=_levels(path, pair, step, Side.SELL, 1)[0],
        last=Level(latest.price, latest.volume, latest.at),
        today=today,
        day=day,
        opened=as_price(pair, path.mid(pair.id, last // DAY * DAY << TRADE_OCTAVE)),
    )


# It changes with a trade and not with a step: sixteen times less often.
@lru_cache(maxsize=4 * len(catalogue.PAIRS))
def _windows(path: Path, pair: Pair, last: int) -> tuple[Window, Window]:
    """What was traded since midnight, and in the last day, up to that trade."""
    midnight = (last // DAY) * DAY
    hour = max(midnight, (last // HOUR) * HOUR)
    day_ago = max(0, ((last - DAY) // HOUR + 1) * HOUR)
    earlier, early, late = (
        extremes(path, pair.id, since, until) for since, until in ((day_ago, midnight), (midnight, hour), (hour, last))
    )
    return (
        _window(path, pair, midnight, last, (early, late)),
        _window(path, pair, day_ago, last, (earlier, early, late)),
    )


def _window(path: Path, pair: Pair, since: int, until: int, found: Sequence[tuple[int, int]]) -> Window:
    """The average is that of 96 trades spread evenly over the window."""
    drawn = [since + (until - since) * place // AVERAGED for place in range(AVERAGED + 1)]
    average = sum(path.mid(pair.id, trade << TRADE_OCTAVE) for trade in drawn) // len(drawn)
    total = traded(path, pair, until + 1) - traded(path, pair, since)
    return Window(
        volume=from_units(total, pair.volume_decimals),
        average_price=as_price(pair, average),
        trades=until - since + 1,
        low=as_price(pair, min(low for low, _ in found)),
        high=as_price(pair, max(high for _, high in found)),
    )


@lru_cache(maxsize=2 * MOST_QUOTES * len(catalogue.PAIRS))
def _quote(path: Path, pair: Pair, step: int) -> Quote:
    mid = path.mid(pair.id, step)
    return Quote(
        time_of(step), bid=as_price(pair, quotes.bid(pair.id, mid)), ask=as_price(pair, quotes.ask(pair.id, mid))
    )


def _levels(path: Path, pair: Pair, step: int, side: Side, count: int) -> tuple[Level, ...]:
    return tuple(
        Level(as_price(pair, offer.price), from_units(offer.volume, pair.volume_decimals), time_of(step))
        for offer in quotes.offers(path, pair.id, step, side, max(1, count))
    )
