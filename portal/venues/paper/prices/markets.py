"""What everybody may see: ticker, depth, the last trades of others, best prices, and what an amount is worth."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate
from threading import Lock
from typing import Final

from django.utils import timezone

from portal.core.money import from_units
from portal.venues.paper import catalogue
from portal.venues.paper.prices import quotes, source
from portal.venues.paper.prices.pairs import MARKETS
from portal.venues.paper.prices.path import TRADE_OCTAVE, Path, step_at, time_of
from portal.venues.types import Asset, Book, Level, Pair, PublicTrade, Quote, Side, Ticker, Window

MOST_TRADES = 1000
MOST_QUOTES = 200
# The exchange opened then. Prices follow from the step alone, so whatever was traded since can be told at any time.
FIRST_TRADE = step_at(datetime(2024, 1, 1, tzinfo=UTC)) >> TRADE_OCTAVE
# Volumes of public trades repeat after so many, which lets any stretch of them be added up at once.
PATTERN = 1024
AVERAGED = 96
# How many trades are made up at once.
BLOCK = 128
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


def trades(name: str, since: datetime | None, count: int) -> list[PublicTrade]:
    """See Catalogue.public_trades."""
    pair, path = catalogue.pair(name), source.path()
    last, count = step_at(timezone.now()) >> TRADE_OCTAVE, max(1, min(count, MOST_TRADES))
    if since is None:
        numbers = range(last - count + 1, last + 1)
    else:
        begin = max(FIRST_TRADE, (step_at(since) >> TRADE_OCTAVE) + 1)
        numbers = range(begin, min(begin + count - 1, last) + 1)
    found: list[PublicTrade] = []
    for block in range(numbers.start // BLOCK, -(-numbers.stop // BLOCK)):
        first = block * BLOCK
        found += _block(path, pair, block)[max(0, numbers.start - first) : max(0, numbers.stop - first)]
    return found


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
    trade = _trade(path, pair, last)
    return Ticker(
        pair=pair,
        ask=_levels(path, pair, step, Side.BUY, 1)[0],
        bid=_levels(path, pair, step, Side.SELL, 1)[0],
        last=Level(trade.price, trade.volume, trade.at),
        today=today,
        day=day,
        opened=_price(pair, path.mid(pair.id, last // DAY * DAY << TRADE_OCTAVE)),
    )


# It changes with a trade and not with a step: sixteen times less often.
@lru_cache(maxsize=4 * len(catalogue.PAIRS))
def _windows(path: Path, pair: Pair, last: int) -> tuple[Window, Window]:
    """What was traded since midnight, and in the last day, up to that trade."""
    midnight = (last // DAY) * DAY
    hour = max(midnight, (last // HOUR) * HOUR)
    day_ago = max(0, ((last - DAY) // HOUR + 1) * HOUR)
    earlier, early, late = (
        _extremes(path, pair.id, since, until) for since, until in ((day_ago, midnight), (midnight, hour), (hour, last))
    )
    return (
        _window(path, pair, midnight, last, (early, late)),
        _window(path, pair, day_ago, last, (earlier, early, late)),
    )


def _window(path: Path, pair: Pair, since: int, until: int, found: Sequence[tuple[int, int]]) -> Window:
    """The average is that of 96 trades spread evenly over the window."""
    drawn = [since + (until - since) * place // AVERAGED for place in range(AVERAGED + 1)]
    average = sum(path.mid(pair.id, trade << TRADE_OCTAVE) for trade in drawn) // len(drawn)
    total = _traded(path, pair, until + 1) - _traded(path, pair, since)
    return Window(
        volume=from_units(total, pair.volume_decimals),
        average_price=_price(pair, average),
        trades=until - since + 1,
        low=_price(pair, min(low for low, _ in found)),
        high=_price(pair, max(high for _, high in found)),
    )


@lru_cache(maxsize=1 << 10)
def _extremes(path: Path, pair_id: str, since: int, until: int) -> tuple[int, int]:
    return path.extremes(pair_id, since, until)


def _trade(path: Path, pair: Pair, number: int) -> PublicTrade:
    step = number << TRADE_OCTAVE
    drawn = _pattern(path.key, pair.id)
    volume = drawn[number % PATTERN + 1] - drawn[number % PATTERN]
    return PublicTrade(
        number=number,
        at=time_of(step),
        price=_price(pair, path.mid(pair.id, step)),
        volume=from_units(volume, pair.volume_decimals),
        is_buy=volume // MARKETS[pair.id].lot % 2 == 0,
        is_market=True,
    )


# What was traded stays as it is: a page is made up once, and not again for each who asks for it. All that a last page
# of every pair is made of has room.
@lru_cache(maxsize=16 * len(catalogue.PAIRS))
def _block(path: Path, pair: Pair, block: int) -> tuple[PublicTrade, ...]:
    return tuple(_trade(path, pair, number) for number in range(block * BLOCK, (block + 1) * BLOCK))


def _traded(path: Path, pair: Pair, number: int) -> int:
    """The volume of all trades before that one."""
    drawn = _pattern(path.key, pair.id)
    rounds, rest = divmod(number, PATTERN)
    return rounds * drawn[PATTERN] + drawn[rest]


@lru_cache(maxsize=64)
def _pattern(key: str, pair_id: str) -> tuple[int, ...]:
    """Sums of the volumes of the first so many trades."""
    lot = MARKETS[pair_id].lot
    drawn = b"".join(blake2b(f"{key}:{pair_id}:trades:{part}".encode()).digest() for part in range(PATTERN // 64))
    return tuple(accumulate((lot * (1 + byte % 9) // 5 for byte in drawn), initial=0))


@lru_cache(maxsize=2 * MOST_QUOTES * len(catalogue.PAIRS))
def _quote(path: Path, pair: Pair, step: int) -> Quote:
    mid = path.mid(pair.id, step)
    return Quote(time_of(step), bid=_price(pair, quotes.bid(pair.id, mid)), ask=_price(pair, quotes.ask(pair.id, mid)))


def _levels(path: Path, pair: Pair, step: int, side: Side, count: int) -> tuple[Level, ...]:
    return tuple(
        Level(_price(pair, offer.price), from_units(offer.volume, pair.volume_decimals), time_of(step))
        for offer in quotes.offers(path, pair.id, step, side, max(1, count))
    )


def _price(pair: Pair, units: int) -> Decimal:
    return from_units(units, pair.price_decimals)
