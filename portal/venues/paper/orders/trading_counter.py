"""The trading counter: each order adds, each early cancel adds more, and it decays (reference §5)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from accounts.models.organization import ApiTier
from portal.venues.errors import TooFast, TooManyOrders
from portal.venues.paper.orders.models import Order, TradingCounter
from portal.venues.types import Pair

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


def limits_of(tier: str) -> Limits:
    """Those of the tier of an Account's Organization; an installation for its own bots may count nothing."""
    return LIMITS[ApiTier(tier) if settings.API_LIMITS else ApiTier.OFF]


def check_room(open_orders: int, pair: Pair, limits: Limits) -> None:
    """Raises: TooManyOrders."""
    if open_orders >= limits.open_orders:
        raise TooManyOrders(f"There are {limits.open_orders} open orders in {pair.wsname}: cancel some first.")


def new(account_id: int, pair_id: str, now: datetime) -> TradingCounter:
    """A counter that has not counted yet."""
    return TradingCounter(account_id=account_id, pair=pair_id, thousandths=0, at=now)


def count_order(counter: TradingCounter, limits: Limits, now: datetime) -> None:
    """The caller holds the Account's lock. Raises: TooFast, and counts nothing then."""
    if limits.threshold is None:
        return
    _decay(counter, limits, now)
    counter.thousandths += THOUSAND
    if counter.thousandths > limits.threshold:
        raise TooFast("Too many orders and early cancels in this pair: wait a little.")
    _save([counter])


def count_cancels(account_id: int, orders: Sequence[Order], now: datetime) -> None:
    """Cancelling takes risk away, so it counts but is never refused. The orders have their Organization with them."""
    if not orders:
        return
    limits = limits_of(orders[0].account.organization.api_tier)
    if limits.threshold is None:
        return
    added: Counter[str] = Counter()
    for order in orders:
        added[order.pair] += _weight(now - order.opened_at)
    pairs = sorted(pair for pair, weight in added.items() if weight)
    if not pairs:
        return
    kept = {row.pair: row for row in TradingCounter.objects.filter(account_id=account_id, pair__in=pairs)}
    counters = [kept.get(pair_id) or new(account_id, pair_id, now) for pair_id in pairs]
    for counter in counters:
        _decay(counter, limits, now)
        counter.thousandths += added[counter.pair] * THOUSAND
    _save(counters)


def _weight(age: timedelta) -> int:
    return next((weight for seconds, weight in CANCELS if age < seconds * SECOND), 0)


def _decay(counter: TradingCounter, limits: Limits, now: datetime) -> None:
    decayed = (now - counter.at) * limits.decay // SECOND
    counter.thousandths = max(0, counter.thousandths - max(0, decayed))
    counter.at = max(now, counter.at)


def _save(counters: Sequence[TradingCounter]) -> None:
    for counter in counters:
        # By Account and pair, whether or not there is a row: with its own key it would be one more.
        counter.pk = None
    TradingCounter.objects.bulk_create(
        counters, update_conflicts=True, unique_fields=["account", "pair"], update_fields=["thousandths", "at"]
    )
