"""What queries about orders answer."""

from collections import defaultdict
from collections.abc import Sequence

from django.db.models import QuerySet

from portal.venues.errors import UnknownOrder
from portal.venues.paper import query_bounds
from portal.venues.paper.orders import closed, rows
from portal.venues.paper.orders.models import Order, Trade
from portal.venues.paper.ranks.stretch import Place, Stretch
from portal.venues.types import (
    ClosedQuery,
    OpenQuery,
    OrderPage,
    OrderRow,
    OrderStatus,
)


def open_orders(account_id: int, query: OpenQuery) -> list[OrderRow]:
    """See Trading.open_orders."""
    found = _named(Order.objects.filter(account_id=account_id, status=OrderStatus.OPEN), query)
    found = query_bounds.seen(found, query, "opened_at")
    return _rows(found.order_by("-opened_at", "-pk"), query)


def closed_orders(account_id: int, query: ClosedQuery) -> OrderPage:
    """See Trading.closed_orders."""
    ended = Order.objects.filter(account_id=account_id, closed_at__isnull=False)
    named = Stretch().beyond(_place(ended, query.after_id)).up_to(_place(ended, query.until_id))
    page = closed.page(account_id, query, named)
    found = Order.objects.filter(pk__in=page.ids).order_by("-closed_at", "-pk")
    return OrderPage(rows=tuple(_rows(found, query)), count=page.count if query.with_count else None)


def orders(account_id: int, ids: Sequence[str], query: OpenQuery) -> list[OrderRow]:
    """See Trading.orders."""
    found = _named(Order.objects.filter(account_id=account_id, txid__in=ids), query)
    if query.seen_from is not None:
        found = found.filter(opened_at__gte=query.seen_from)
    if query.seen_before is not None:
        found = found.filter(opened_at__lt=query.seen_before).exclude(closed_at__gte=query.seen_before)
    return _rows(found.order_by("-opened_at", "-pk"), query)


def _rows(found: QuerySet[Order], query: OpenQuery | ClosedQuery) -> list[OrderRow]:
    """Each order as the key's window shows it: what an open one traded after the window's end is not in it."""
    listed, before = list(found), query.seen_before
    trades: dict[int, list[Trade]] = defaultdict(list)
    if filled := [order.pk for order in listed if order.filled_units]:
        made = Trade.objects.filter(order__in=filled).order_by("at", "pk")
        for trade in made if before is None else made.filter(at__lt=before):
            trades[trade.order_id].append(trade)
    if before is not None:
        for order in listed:
            # In memory only: nothing here saves an order.
            order.filled_units = sum(trade.volume_units for trade in trades[order.pk])
            order.cost_units = sum(trade.cost_units for trade in trades[order.pk])
            order.fee_units = sum(trade.fee_units for trade in trades[order.pk])
    shown = trades if query.with_trades else {}
    return [
        rows.of_order(
            order, rows.turnover_of(trades.get(order.pk, ())), [trade.txid for trade in shown.get(order.pk, ())]
        )
        for order in listed
    ]


def _named(found: QuerySet[Order], query: OpenQuery | ClosedQuery) -> QuerySet[Order]:
    if query.userref is not None:
        found = found.filter(userref=query.userref)
    return found if query.cl_ord_id is None else found.filter(cl_ord_id=query.cl_ord_id)


def _place(ended: QuerySet[Order], txid: str) -> Place | None:
    if not txid:
        return None
    place = ended.filter(txid=txid).values_list("closed_at", "pk").first()
    if place is None or place[0] is None:
        raise UnknownOrder("There is no such closed order.", field="start")
    return place[0], place[1]
