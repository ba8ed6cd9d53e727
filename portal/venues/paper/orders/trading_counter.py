"""The trading counter: each order adds, each early cancel adds more, and it decays (reference §5)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from accounts.models import Account
from accounts.models.organization import ApiTier
from portal.venues.errors import TooFast, TooManyOrders
from portal.venues.paper.orders.models import Order, TradingCounter
from portal.venues.types import OrderStatus, Pair

THOUSAND: Final = 1000
SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """`threshold` and `decay` per second in thousandths; no threshold means that nothing is counted."""

    threshold: int | None
    decay: int
    open_orders: int


LIMITS: Final = {
    ApiTier.STARTER: Limits(60 * THOUSAND, 1000, 60),
    ApiTier.INTERMEDIATE: Limits(125 * THOUSAND, 2340, 80),
    ApiTier.PRO: Limits(180 * THOUSAND, 3750, 225),
    ApiTier.OFF: Limits(None, 0, 225),
}
# What cancelling an order adds that is younger than so many seconds.
CANCELS: Final = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))


def limits_of(account_id: int) -> Limits:
    """Those of the tier of the Account's Organization; an installation for its own bots may count nothing."""
    if not settings.API_LIMITS:
        return LIMITS[ApiTier.OFF]
    return LIMITS[ApiTier(Account.objects.values_list("organization__api_tier", flat=True).get(pk=account_id))]


def check_room(account_id: int, pair: Pair, limits: Limits) -> None:
    """Raises: TooManyOrders."""
    if Order.objects.filter(account_id=account_id, pair=pair.id, status=OrderStatus.OPEN).count() >= limits.open_orders:
        raise TooManyOrders(f"There are {limits.open_orders} open orders in {pair.wsname}: cancel some first.")


def count_order(account_id: int, pair_id: str, limits: Limits, now: datetime) -> None:
    """Raises: TooFast, and counts nothing then."""
    if limits.threshold is None:
        return
    counter = _now(account_id, pair_id, limits, now)
    counter.thousandths += THOUSAND
    if counter.thousandths > limits.threshold:
        raise TooFast("Too many orders and early cancels in this pair: wait a little.")
    counter.save()


def count_cancels(account_id: int, orders: Iterable[Order], now: datetime) -> None:
    """Cancelling takes risk away, so it counts but is never refused."""
    limits = limits_of(account_id)
    if limits.threshold is None:
        return
    added: dict[str, int] = {}
    for order in orders:
        added[order.pair] = added.get(order.pair, 0) + _weight(now - order.opened_at)
    for pair_id, weight in sorted(added.items()):
        if weight:
            counter = _now(account_id, pair_id, limits, now)
            counter.thousandths += weight * THOUSAND
            counter.save()


def _weight(age: timedelta) -> int:
    return next((weight for seconds, weight in CANCELS if age < seconds * SECOND), 0)


def _now(account_id: int, pair_id: str, limits: Limits, now: datetime) -> TradingCounter:
    """The counter as it has decayed until now; the caller holds the Account's lock."""
    counter = TradingCounter.objects.filter(account_id=account_id, pair=pair_id).first()
    if counter is None:
        return TradingCounter(account_id=account_id, pair=pair_id, thousandths=0, at=now)
    decayed = (now - counter.at) * limits.decay // SECOND
    counter.thousandths = max(0, counter.thousandths - max(0, decayed))
    counter.at = max(now, counter.at)
    return counter
