"""Whether what is asked for can be an order at all: everything that needs no lock."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from portal.core.errors import Invalid
from portal.core.money import plain, to_units
from portal.venues.errors import CostTooSmall, DeadlineElapsed, InvalidPrice, TickSize, VolumeTooSmall
from portal.venues.paper import catalogue
from portal.venues.types import NewOrder, OrderKind, Pair, TimeInForce

CLIENT_ID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}|[!-~]{1,18}", re.IGNORECASE | re.ASCII
)
HIGHEST = Decimal(10) ** 11
FURTHEST_DEADLINE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Asked:
    """A NewOrder in whole units; a market order has no price."""

    order: NewOrder
    pair: Pair
    volume_units: int
    price_units: int | None


def read(order: NewOrder, now: datetime) -> Asked:
    """Raises: UnknownPair, VolumeTooSmall, CostTooSmall, TickSize, InvalidPrice, DeadlineElapsed, Invalid."""
    pair = catalogue.pair(order.pair)
    check_deadline(order, now)
    _check_terms(order, now)
    _check_names(order)
    volume_units = _units(order.volume, pair.volume_decimals, "volume")
    if order.volume < pair.minimum_volume:
        least = f"{plain(pair.minimum_volume)} {pair.base.code}"
        raise VolumeTooSmall(f"An order in {pair.wsname} is for {least} or more.", field="volume")
    price_units = _price(order, pair)
    if order.price is not None:
        check_cost(pair, order.volume * order.price)
    return Asked(order, pair, volume_units, price_units)


def check_deadline(order: NewOrder, now: datetime) -> None:
    """Raises: DeadlineElapsed, or Invalid if it lies too far ahead."""
    if order.deadline is None:
        return
    if order.deadline <= now:
        raise DeadlineElapsed("The deadline had passed before the order was taken.", field="deadline")
    if order.deadline - now > FURTHEST_DEADLINE:
        raise Invalid("A deadline is at most 60 seconds ahead.", field="deadline")


def check_cost(pair: Pair, cost: Decimal) -> None:
    """Raises: CostTooSmall."""
    if cost < pair.minimum_cost:
        least = f"{plain(pair.minimum_cost)} {pair.quote.code}"
        raise CostTooSmall(f"An order in {pair.wsname} is worth {least} or more.", field="volume")


def _price(order: NewOrder, pair: Pair) -> int | None:
    if order.kind is OrderKind.MARKET:
        if order.price is not None:
            raise InvalidPrice("A market order has no price.", field="price")
        return None
    if order.price is None or not order.price.is_finite() or order.price <= 0:
        raise InvalidPrice("A limit order needs a price above zero.", field="price")
    if order.price >= HIGHEST:
        raise InvalidPrice("The price is out of range.", field="price")
    try:
        return to_units(order.price, pair.price_decimals)
    except Invalid as error:
        # The tick is one unit of the last place.
        raise TickSize(f"A price in {pair.wsname} is a multiple of {plain(pair.tick_size)}.", field="price") from error


def _units(amount: Decimal, decimals: int, field: str) -> int:
    try:
        units = to_units(amount, decimals)
    except Invalid as error:
        raise Invalid(error.message, field=field) from error
    if units <= 0:
        raise Invalid("The volume must be above zero.", field=field)
    return units


def _check_terms(order: NewOrder, now: datetime) -> None:
    is_gtd = order.time_in_force is TimeInForce.GTD
    if is_gtd != (order.expires_at is not None):
        raise Invalid("An order good till date has an expiry, and no other order has one.", field="expires_at")
    if order.expires_at is not None and order.expires_at <= now:
        raise Invalid("The expiry lies in the past.", field="expires_at")
    if order.kind is OrderKind.MARKET and (is_gtd or order.is_post_only):
        raise Invalid("A market order is filled at once or not at all.", field="time_in_force")
    if order.is_post_only and order.time_in_force is TimeInForce.IOC:
        raise Invalid("A post-only order waits, an immediate-or-cancel order does not.", field="time_in_force")


def _check_names(order: NewOrder) -> None:
    if order.userref is not None and order.cl_ord_id is not None:
        raise Invalid("Give userref or cl_ord_id, not both.", field="cl_ord_id")
    if order.userref is not None and not -(2**31) <= order.userref < 2**31:
        raise Invalid("userref is a signed 32-bit number.", field="userref")
    if order.cl_ord_id is not None and not CLIENT_ID.fullmatch(order.cl_ord_id):
        raise Invalid("cl_ord_id is a UUID or at most 18 ASCII characters without spaces.", field="cl_ord_id")
