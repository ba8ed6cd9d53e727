"""What each market is like: where values begin, how far they swing, how wide the spread is, how much is on offer.

Each asset has one value in dollars, and the price of a pair is the value of its base in that of its quote. So however
assets are traded in a circle, what comes back is never more than what went in: every step buys above the true price and
sells at it or below.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from portal.core.money import from_units, to_units
from portal.venues.paper import catalogue
from portal.venues.types import Asset, Pair

# Values are whole numbers of such parts of a dollar, times SCALE.
VALUE_DECIMALS: Final = 5
SCALE: Final = 10**8
DOLLAR: Final = 10**VALUE_DECIMALS


@dataclass(frozen=True, slots=True)
class Reference:
    """One asset: `pair` is the one that its price in dollars is seen in, `start` in parts of a dollar, `swing` in parts
    of SCALE.
    """

    asset: Asset
    pair: Pair
    start: int
    swing: int


@dataclass(frozen=True, slots=True)
class Market:
    """One pair: `start` in units of the price's last place, `spread` in millionths, `lot` in units of the volume's last
    place.
    """

    pair: Pair
    start: int
    spread: int
    lot: int


def price_of(pair: Pair, base: int, quote: int) -> int:
    """The price of a pair in units of its last place, rounded down, from two values in the same parts.

    Rounded down, the true price lies at it or above, and below the next unit: so what `quotes` asks is above the true
    price, and what it bids is not.
    """
    return max(1, int(base * 10**pair.price_decimals) // quote)


def as_price(pair: Pair, units: int) -> Decimal:
    """Units of the price's last place as a price."""
    return from_units(units, pair.price_decimals)


def _reference(name: str, start: str, swing: int) -> Reference:
    pair = catalogue.pair(f"{name}/USD")
    return Reference(pair.base, pair, to_units(Decimal(start), VALUE_DECIMALS), swing)


REFERENCES: Final = {
    reference.asset.id: reference
    for reference in (
        _reference("XBT", "64000", 8_000_000),
        _reference("ETH", "3200", 9_000_000),
        _reference("SOL", "150", 12_000_000),
        _reference("USDC", "1", 40_000),
        _reference("EUR", "1.085", 800_000),
    )
}


def start_of(asset: Asset) -> int:
    """What the asset is worth where its value begins."""
    reference = REFERENCES.get(asset.id)
    return reference.start if reference else DOLLAR


def _market(name: str, spread: int, lot: str) -> Market:
    pair = catalogue.pair(name)
    return Market(
        pair,
        start=price_of(pair, start_of(pair.base), start_of(pair.quote)),
        spread=spread,
        lot=to_units(Decimal(lot), pair.volume_decimals),
    )


MARKETS: Final = {
    market.pair.id: market
    for market in (
        _market("XBT/USD", 100, "0.05"),
        _market("XBT/EUR", 150, "0.05"),
        _market("XBT/USDC", 200, "0.02"),
        _market("ETH/USD", 100, "0.8"),
        _market("ETH/EUR", 150, "0.8"),
        _market("ETH/XBT", 400, "0.5"),
        _market("ETH/USDC", 200, "0.4"),
        _market("SOL/USD", 200, "15"),
        _market("SOL/EUR", 250, "15"),
        _market("SOL/XBT", 600, "10"),
        _market("SOL/ETH", 600, "10"),
        _market("USDC/USD", 200, "2500"),
        _market("USDC/EUR", 300, "2500"),
        _market("EUR/USD", 100, "2500"),
    )
}
