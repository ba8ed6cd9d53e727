"""What others have traded: made up trade by trade, and added up over any stretch of them at once."""

from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate
from typing import Final

from django.utils import timezone

from portal.core.money import from_units
from portal.venues.paper import catalogue
from portal.venues.paper.prices import source
from portal.venues.paper.prices.pairs import MARKETS, as_price
from portal.venues.paper.prices.path import TRADE_OCTAVE, Path, step_at, time_of
from portal.venues.types import Pair, PublicTrade

MOST_TRADES: Final = 1000
# The exchange opened then. Prices follow from the step alone, so whatever was traded since can be told at any time.
FIRST_TRADE: Final = step_at(datetime(2024, 1, 1, tzinfo=UTC)) >> TRADE_OCTAVE
# Volumes of public trades repeat after so many, which lets any stretch of them be added up at once.
PATTERN: Final = 1024
# How many trades are made up at once.
BLOCK: Final = 128


def trades(name: str, since: datetime | None, count: int) -> list[PublicTrade]:
    """See Catalogue.public_trades."""
    pair, path = catalogue.pair(name), source.path()
    last, count = step_at(timezone.now()) >> TRADE_OCTAVE, max(1, min(count, MOST_TRADES))
    if since is None:
        numbers = range(last - count + 1, last + 1)
    else:
        begin = max(FIRST_TRADE, (step_at(since) >> TRADE_OCTAVE) + 1)
        numbers = range(begin, min(begin + count - 1, last) + 1)
    return numbered(path, pair, numbers.start, numbers.stop - 1)


def numbered(path: Path, pair: Pair, first: int, last: int) -> list[PublicTrade]:
    """The trades of these numbers, both included."""
    found: list[PublicTrade] = []
    for block in range(first // BLOCK, last // BLOCK + 1):
        begin = block * BLOCK
        found += _block(path, pair, block)[max(0, first - begin) : max(0, last + 1 - begin)]
    return found


@lru_cache(maxsize=1 << 10)
def extremes(path: Path, pair_id: str, since: int, until: int) -> tuple[int, int]:
    """The lowest and highest price of the trades numbered `since` to `until`."""
    return path.extremes(pair_id, since, until)


def trade(path: Path, pair: Pair, number: int) -> PublicTrade:
    """The trade of that number."""
    step = number << TRADE_OCTAVE
    drawn = _pattern(path.key, pair.id)
    volume = drawn[number % PATTERN + 1] - drawn[number % PATTERN]
    return PublicTrade(
        number=number,
        at=time_of(step),
        price=as_price(pair, path.mid(pair.id, step)),
        volume=from_units(volume, pair.volume_decimals),
        is_buy=volume // MARKETS[pair.id].lot % 2 == 0,
        is_market=True,
    )


# What was traded stays as it is: a page is made up once, and not again for each who asks for it. All that a last page
# of every pair is made of has room.
@lru_cache(maxsize=16 * len(catalogue.PAIRS))
def _block(path: Path, pair: Pair, block: int) -> tuple[PublicTrade, ...]:
    return tuple(trade(path, pair, number) for number in range(block * BLOCK, (block + 1) * BLOCK))


def traded(path: Path, pair: Pair, number: int) -> int:
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
