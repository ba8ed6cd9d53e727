"""What each pair's market is like: where its price begins, how far it swings, how much is on offer."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from portal.core.money import to_units
from portal.venues.paper import catalogue
from portal.venues.types import Pair


@dataclass(frozen=True, slots=True)
class Market:
    """`start` in units of the price's last place, `swing` in parts of 10**8, `spread` in millionths, `lot` in units
    of the volume's last place.
    """

    pair: Pair
    start: int
    swing: int
    spread: int
    lot: int


def _market(name: str, start: str, swing: int, spread: int, lot: str) -> Market:
    pair = catalogue.pair(name)
    return Market(
        pair,
        start=to_units(Decimal(start), pair.price_decimals),
        swing=swing,
        spread=spread,
        lot=to_units(Decimal(lot), pair.volume_decimals),
    )


MARKETS: Final = {
    market.pair.id: market
    for market in (
        _market("XBT/USD", "64000", 8_000_000, 100, "0.05"),
        _market("XBT/EUR", "59000", 8_000_000, 150, "0.05"),
        _market("XBT/USDC", "64000", 8_000_000, 200, "0.02"),
        _market("ETH/USD", "3200", 9_000_000, 100, "0.8"),
        _market("ETH/EUR", "2950", 9_000_000, 150, "0.8"),
        _market("ETH/XBT", "0.05", 4_000_000, 400, "0.5"),
        _market("ETH/USDC", "3200", 9_000_000, 200, "0.4"),
        _market("SOL/USD", "150", 12_000_000, 200, "15"),
        _market("SOL/EUR", "138", 12_000_000, 250, "15"),
        _market("SOL/XBT", "0.0023437", 7_000_000, 600, "10"),
        _market("SOL/ETH", "0.046875", 6_000_000, 600, "10"),
        _market("USDC/USD", "1", 40_000, 200, "2500"),
        _market("USDC/EUR", "0.9217", 800_000, 300, "2500"),
        _market("EUR/USD", "1.085", 800_000, 100, "2500"),
    )
}
