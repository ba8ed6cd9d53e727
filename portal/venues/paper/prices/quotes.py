"""The synthetic book: best prices and depth around the reference price, the same for everybody at each step.

It is whole again for every order and at every step, so what one order takes is never missing to another one. That
makes the fills of an order follow from the order and the price path alone, and no order can meet another.
"""

from dataclasses import dataclass
from hashlib import blake2b

from portal.venues.paper.prices.pairs import MARKETS
from portal.venues.paper.prices.path import Path
from portal.venues.types import Side

LEVELS = 50
# How far one level stands from the next, in millionths of the price.
GAP = 100


@dataclass(frozen=True, slots=True)
class Offer:
    """One level, in units of the pair's last places."""

    price: int
    volume: int


def ask(pair_id: str, mid: int) -> int:
    """What buyers pay. Grows with `mid`, never falls."""
    return mid + _half(pair_id, mid)


def bid(pair_id: str, mid: int) -> int:
    """What sellers get. Grows with `mid`, never falls."""
    return max(1, mid - _half(pair_id, mid))


def offers(path: Path, pair_id: str, step: int, side: Side, count: int = LEVELS) -> list[Offer]:
    """What an order of `side` can trade against, best first: asks for a buyer, bids for a seller."""
    market, mid = MARKETS[pair_id], path.mid(pair_id, step)
    gap = max(1, mid * GAP // 1_000_000)
    best, away = (ask(pair_id, mid), gap) if side is Side.BUY else (bid(pair_id, mid), -gap)
    drawn = blake2b(f"{path.key}:{pair_id}:{step if path.moves else 0}:{side}".encode()).digest()
    levels = (
        Offer(best + place * away, market.lot * (1 + drawn[place] % 9) * (1 + place // 5))
        for place in range(min(count, LEVELS))
    )
    return [level for level in levels if level.price > 0]


def crosses(side: Side, pair_id: str, limit: int, low: int, high: int) -> bool:
    """Whether an order at `limit` would trade at any reference price between `low` and `high`."""
    return ask(pair_id, low) <= limit if side is Side.BUY else bid(pair_id, high) >= limit


def within(side: Side, limit: int | None, price: int) -> bool:
    """Whether an order takes that price; without a limit it takes any."""
    if limit is None:
        return True
    return price <= limit if side is Side.BUY else price >= limit


def _half(pair_id: str, mid: int) -> int:
    return max(1, mid * MARKETS[pair_id].spread // 2_000_000)
