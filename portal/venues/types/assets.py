"""Assets and the pairs in which they trade."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset. `id` is canonical (`XXBT`), `altname` short (`XBT`), `code` what people call it (`BTC`).

    Amounts have `decimals` places; `shown_decimals` is what a price list would show.
    """

    id: str
    altname: str
    code: str
    decimals: int
    shown_decimals: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two assets that trade against each other. Places and minima as in the protocol reference §8."""

    id: str
    altname: str
    wsname: str
    base: Asset
    quote: Asset
    price_decimals: int
    volume_decimals: int
    cost_decimals: int
    minimum_volume: Decimal
    minimum_cost: Decimal
    tick_size: Decimal

    def __hash__(self) -> int:
        """By its id: what is kept of an order is looked up by the order, of which this is a part."""
        return hash(self.id)
