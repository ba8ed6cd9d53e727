"""What everybody may see of a pair. Prices and volumes are Decimals at the pair's fixed places."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from portal.venues.types.assets import Pair


@dataclass(frozen=True, slots=True)
class Level:
    """What can be had at one price, since `at`."""

    price: Decimal
    volume: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Book:
    """The levels on both sides, best first."""

    pair: Pair
    asks: tuple[Level, ...]
    bids: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """The trades of a stretch of time."""

    volume: Decimal
    average_price: Decimal
    trades: int
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Ticker:
    """A pair at one moment; `opened` is the price with which the day began, in UTC."""

    pair: Pair
    ask: Level
    bid: Level
    last: Level
    today: Window
    day: Window
    opened: Decimal


@dataclass(frozen=True, slots=True)
class PublicTrade:
    """A trade that everybody sees. `number` grows with time, without gaps."""

    number: int
    at: datetime
    price: Decimal
    volume: Decimal
    is_buy: bool
    is_market: bool


@dataclass(frozen=True, slots=True)
class Candle:
    """The trades of one interval, which begins at `begins`: its first, highest, lowest and last price."""

    begins: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    average_price: Decimal
    volume: Decimal
    trades: int


@dataclass(frozen=True, slots=True)
class Quote:
    """The best prices at one moment."""

    at: datetime
    bid: Decimal
    ask: Decimal


@dataclass(frozen=True, slots=True)
class Priced:
    """What one of an asset is worth in another, exactly, and of when that is."""

    worth: Fraction
    at: datetime
