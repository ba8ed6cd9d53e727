"""What volumes at prices cost, and how much must be held for them: whole numbers only.

What is booked is rounded down and what is held is rounded up, each at the pair's cost decimals. So the fills of an
order never add up to more than what was held for it, however many there are. A taker's fee is rounded up; nothing is
held for that.
"""

from portal.venues.paper.fees import MILLION
from portal.venues.types import Asset, Pair, Side


def cost(pair: Pair, price_units: int, volume_units: int, *, up: bool = False) -> int:
    """In the quote asset's smallest unit."""
    places = pair.price_decimals + pair.volume_decimals - pair.cost_decimals
    return _divided(price_units * volume_units, 10**places, up=up) * _quantum(pair)


def fee(pair: Pair, cost_units: int, rate: int, *, up: bool = False) -> int:
    """`rate` millionths of a cost, in the quote asset's smallest unit."""
    quantum = _quantum(pair)
    return _divided(cost_units * rate, MILLION * quantum, up=up) * quantum


def hold(pair: Pair, side: Side, price_units: int, volume_units: int, rate: int) -> int:
    """The most that filling `volume_units` at that limit can take, fee included, in units of the spent asset."""
    if side is Side.SELL:
        return base(pair, volume_units)
    most = cost(pair, price_units, volume_units, up=True)
    return most + fee(pair, most, rate, up=True)


def base(pair: Pair, volume_units: int) -> int:
    """A volume in the base asset's smallest unit."""
    return int(volume_units * 10 ** (pair.base.decimals - pair.volume_decimals))


def spent(pair: Pair, side: Side) -> Asset:
    """What an order of that side pays with."""
    return pair.quote if side is Side.BUY else pair.base


def _quantum(pair: Pair) -> int:
    return int(10 ** (pair.quote.decimals - pair.cost_decimals))


def _divided(dividend: int, divisor: int, *, up: bool) -> int:
    return -(-dividend // divisor) if up else dividend // divisor
