"""Adding orders and trades up again."""

from collections import Counter
from collections.abc import Iterator

from django.db.models import Count, F, Sum
from django.db.models.functions import TruncDate

from portal.venues.paper import catalogue
from portal.venues.paper.orders import amounts
from portal.venues.paper.orders.models import Order, Trade, TradedDay
from portal.venues.types import OrderStatus, Side


def differences() -> Iterator[str]:
    """What does not agree, in words."""
    yield from _orders_and_trades()
    yield from _holds()
    yield from _days()
    for order in Order.objects.filter(trades__account__isnull=False).exclude(trades__account=F("account")).distinct():
        yield f"Order {order} has a trade of another Account."
    for order in Order.objects.filter(closed_at__lt=F("opened_at")):
        yield f"Order {order} closed before it opened."


def held() -> dict[tuple[int, str], int]:
    """What open orders hold, by Account and asset id."""
    totals: Counter[tuple[int, str]] = Counter()
    for order in _open():
        totals[order.account_id, amounts.spent(catalogue.pair(order.pair), Side(order.side)).id] += order.held_units
    return dict(totals)


def _open() -> Iterator[Order]:
    yield from Order.objects.filter(status=OrderStatus.OPEN).iterator()


def _orders_and_trades() -> Iterator[str]:
    columns = ("volume_units", "cost_units", "fee_units")
    totals = {f"{column}_total": Sum(f"trades__{column}", default=0) for column in columns}
    for order in Order.objects.annotate(number=Count("trades"), **totals).iterator():
        stands = (order.filled_units, order.cost_units, order.fee_units)
        added = tuple(getattr(order, f"{column}_total") for column in columns)
        if stands != added:
            yield f"Order {order}: {stands} traded, cost and fee stand there; its trades add up to {added}."
        if order.status == OrderStatus.CLOSED and order.remaining_units:
            yield f"Order {order} is closed with {order.remaining_units} left."


def _holds() -> Iterator[str]:
    for order in _open():
        pair, side = catalogue.pair(order.pair), Side(order.side)
        added = amounts.hold(pair, side, order.price_units or 0, order.remaining_units, order.maker_rate)
        if order.held_units != added:
            yield f"Order {order} holds {order.held_units}; what is left of it needs {added}."


def _days() -> Iterator[str]:
    traded = Trade.objects.annotate(on=TruncDate("at")).values_list("account", "on").annotate(Sum("value_units"))
    added = {(account, on): total for account, on, total in traded}
    kept = TradedDay.objects.values_list("account", "on", "value_units")
    stands = {(account, on): units for account, on, units in kept}
    for account, on in sorted({*added, *stands}):
        one, other = stands.get((account, on), 0), added.get((account, on), 0)
        if one != other:
            yield f"Account {account}, {on}: {one} traded stands there; added up it is {other}."
