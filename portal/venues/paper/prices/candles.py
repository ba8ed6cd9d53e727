"""The public trades by intervals: where prices began and ended, how far they went, how much was traded."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from functools import lru_cache
from typing import Final

from django.utils import timezone

from portal.core.money import from_units
from portal.venues.paper import catalogue
from portal.venues.paper.prices import source
from portal.venues.paper.prices.pairs import as_price
from portal.venues.paper.prices.path import STEP, TRADE_OCTAVE, Path, step_at, time_of
from portal.venues.paper.prices.public_trades import FIRST_TRADE, extremes, numbered, trade, traded
from portal.venues.types import Candle, Pair, PublicTrade

# A day's extremes take tens of milliseconds to find: this bounds what one call can cost.
MOST_CANDLES: Final = 24
# A candle of an hour, or of less, is made of each of its trades; for the average of a longer one so many are drawn.
SHORT: Final = 256
DRAWN: Final = 32
HOUR, DAY = (int(span / STEP) >> TRADE_OCTAVE for span in (timedelta(hours=1), timedelta(days=1)))


def candles(name: str, interval_minutes: int, since: datetime | None, count: int) -> list[Candle]:
    """See Catalogue.candles."""
    pair, path, last = catalogue.pair(name), source.path(), step_at(timezone.now()) >> TRADE_OCTAVE
    width = timedelta(minutes=interval_minutes) // STEP
    newest = (last << TRADE_OCTAVE) // width
    oldest = max((FIRST_TRADE << TRADE_OCTAVE) // width, newest - max(1, min(count, MOST_CANDLES)) + 1)
    if since is not None:
        oldest = min(newest, max(oldest, step_at(since) // width + 1))
    found: list[Candle] = []
    for place in range(oldest, newest + 1):
        make = _under_way if place == newest else _whole
        found.append(make(path, pair, place * width, *_between(place, width, last)))
    return found


def _between(place: int, width: int, last: int) -> tuple[int, int]:
    """The first and the last trade of an interval, of those there are."""
    first, after = (-(-step >> TRADE_OCTAVE) for step in (place * width, (place + 1) * width))
    return max(FIRST_TRADE, first), min(after - 1, last)


def _candle(path: Path, pair: Pair, step: int, first: int, last: int) -> Candle:
    low, high, average = (_short if last - first < SHORT else _long)(path, pair, first, last)
    return Candle(
        begins=time_of(step),
        open=as_price(pair, path.mid(pair.id, first << TRADE_OCTAVE)),
        high=high,
        low=low,
        close=as_price(pair, path.mid(pair.id, last << TRADE_OCTAVE)),
        average_price=average,
        volume=from_units(traded(path, pair, last + 1) - traded(path, pair, first), pair.volume_decimals),
        trades=last - first + 1,
    )


# What is over stays as it is; what is under way changes with each trade, and must push nothing out of that. There is
# room for a page of every interval of every pair.
_whole = lru_cache(maxsize=1 << 12)(_candle)
_under_way = lru_cache(maxsize=1 << 8)(_candle)


def _short(path: Path, pair: Pair, first: int, last: int) -> tuple[Decimal, Decimal, Decimal]:
    """The lowest, highest and average price, from one trade to the next."""
    trades = numbered(path, pair, first, last)
    prices = [trade.price for trade in trades]
    return min(prices), max(prices), _average(pair, trades)


def _long(path: Path, pair: Pair, first: int, last: int) -> tuple[Decimal, Decimal, Decimal]:
    """The same, found without a look at each trade; the average is that of a few, spread evenly over all of them."""
    found = [extremes(path, pair.id, *stretch) for stretch in _stretches(first, last)]
    drawn = [trade(path, pair, first + (last - first) * place // (DRAWN - 1)) for place in range(DRAWN)]
    return as_price(pair, min(found)[0]), as_price(pair, max(high for _, high in found)), _average(pair, drawn)


def _average(pair: Pair, trades: Sequence[PublicTrade]) -> Decimal:
    """By volume, rounded down to the places of a price: never below the lowest."""
    paid = sum((trade.price * trade.volume for trade in trades), Decimal(0))
    average = paid / sum(trade.volume for trade in trades)
    return average.quantize(Decimal(1).scaleb(-pair.price_decimals), ROUND_DOWN)


def _stretches(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Up to the last whole day, up to the last whole hour, and the rest: what is sought again is short."""
    for span in (DAY, HOUR, 1):
        end = (last + 1) // span * span - 1
        if first <= end:
            yield first, end
            first = end + 1
