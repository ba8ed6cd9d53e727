"""What trading costs: a part of the cost that falls with what the Account traded in thirty days."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from portal.core.money import from_units
from portal.venues.paper import catalogue
from portal.venues.types import Fee, FeeTier, Pair, PairFees, Schedule

CURRENCY: Final = catalogue.USD
COUNTED: Final = timedelta(days=30)
MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Rates:
    """What one order pays, in millionths of its cost."""

    maker: int
    taker: int


# From so many dollars on: maker, taker in millionths.
ORDINARY: Final = (
    (0, 2500, 4000),
    (10_000, 2000, 3500),
    (50_000, 1400, 2400),
    (100_000, 1200, 2200),
    (250_000, 1000, 2000),
    (500_000, 800, 1800),
    (1_000_000, 600, 1600),
    (2_500_000, 400, 1400),
    (5_000_000, 200, 1200),
    (10_000_000, 0, 1000),
)
# Between currencies that hardly move against each other.
CALM: Final = (
    (0, 2000, 2000),
    (50_000, 1600, 1600),
    (100_000, 1200, 1200),
    (250_000, 800, 800),
    (500_000, 400, 400),
    (1_000_000, 200, 200),
    (10_000_000, 0, 100),
)
CALM_PAIRS: Final = frozenset({"USDCUSD", "USDCEUR", "ZEURZUSD"})


def rates(pair: Pair, volume_units: int) -> Rates:
    """What an order in `pair` pays after `volume_units` of CURRENCY in thirty days."""
    _, maker, taker = _tiers(pair)[_place(pair, volume_units)]
    return Rates(maker, taker)


def schedule(pair: Pair) -> Schedule:
    """All tiers of the pair."""
    tiers = _tiers(pair)
    return Schedule(
        taker=tuple(FeeTier(Decimal(volume), _percent(taker)) for volume, _, taker in tiers),
        maker=tuple(FeeTier(Decimal(volume), _percent(maker)) for volume, maker, _ in tiers),
    )


def of_pair(pair: Pair, volume_units: int) -> PairFees:
    """Where the Account stands in the pair's tiers."""
    tiers, place = schedule(pair), _place(pair, volume_units)
    return PairFees(pair, taker=_fee(tiers.taker, place), maker=_fee(tiers.maker, place))


def _fee(tiers: tuple[FeeTier, ...], place: int) -> Fee:
    following = tiers[place + 1] if place + 1 < len(tiers) else None
    return Fee(
        percent=tiers[place].percent,
        minimum=tiers[-1].percent,
        maximum=tiers[0].percent,
        next_percent=following.percent if following else None,
        next_volume=following.volume if following else None,
        tier_volume=tiers[place].volume,
    )


def _tiers(pair: Pair) -> tuple[tuple[int, int, int], ...]:
    return CALM if pair.id in CALM_PAIRS else ORDINARY


def _place(pair: Pair, volume_units: int) -> int:
    volume = from_units(volume_units, CURRENCY.decimals)
    return max(place for place, (start, _, _) in enumerate(_tiers(pair)) if start <= volume)


def _percent(millionths: int) -> Decimal:
    return from_units(millionths, 4)
