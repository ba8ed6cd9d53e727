"""Taking open orders back."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from portal.venues.errors import UnknownOrder
from portal.venues.journal.writing import together
from portal.venues.paper import clock
from portal.venues.paper.orders import rows, trading_counter
from portal.venues.paper.orders.changes import Changes
from portal.venues.paper.orders.models import Order
from portal.venues.types import OrderChange, OrderStatus

REASON = "User requested"


def cancel(account_id: int, *, order_id: str = "", userref: int | None = None, cl_ord_id: str = "") -> int:
    """See Trading.cancel_orders."""
    with transaction.atomic(), together():
        clock.locked(account_id)
        found = _open(account_id)
        if order_id:
            found = found.filter(txid=order_id)
        elif cl_ord_id:
            found = found.filter(cl_ord_id=cl_ord_id)
        else:
            found = found.filter(userref=userref) if userref is not None else found.none()
        orders = list(found)
        if not orders:
            raise UnknownOrder("There is no such open order.", field="txid")
        _end(account_id, orders, timezone.now())
    return len(orders)


def cancel_all(account_id: int) -> int:
    """See Trading.cancel_all_orders."""
    with transaction.atomic(), together():
        clock.locked(account_id)
        orders = list(_open(account_id))
        _end(account_id, orders, timezone.now())
    return len(orders)


def _open(account_id: int) -> QuerySet[Order]:
    """With the Organization of each, whose tier says how the trading counter counts it."""
    own = Order.objects.filter(account_id=account_id, status=OrderStatus.OPEN)
    return own.select_related("account__organization").order_by("pk")


def _end(account_id: int, orders: Sequence[Order], now: datetime) -> None:
    trading_counter.count_cancels(account_id, orders, now)
    rows.look_up_turnovers(orders)
    changes = Changes(account_id)
    ended: defaultdict[datetime | None, list[int]] = defaultdict(list)
    for order in orders:
        changes.end(order, OrderChange.CANCELED, now, REASON)
        ended[order.closed_at].append(order.pk)
    # At one instant, but for those that another node's clock opened later than that.
    for closed_at, pks in ended.items():
        Order.objects.filter(pk__in=pks).update(
            status=OrderStatus.CANCELED, reason=REASON, closed_at=closed_at, due_at=None, held_units=0
        )
    changes.write()
