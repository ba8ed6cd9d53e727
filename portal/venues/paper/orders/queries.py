"""What queries about orders answer."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from portal.venues.errors import UnknownOrder
from portal.venues.paper import query_bounds
from portal.venues.paper.orders import rows
from portal.venues.paper.orders.models import Order, Trade
from portal.venues.types import (
    ClosedQuery,
    CloseTime,
    OpenQuery,
    OrderPage,
    OrderRow,
    OrderStatus,
)

PAGE = 50


def open_orders(account_id: int, query: OpenQuery) -> list[OrderRow]:
    """See Trading.open_orders."""
    found = _named(Order.objects.filter(account_id=account_id, status=OrderStatus.OPEN), query)
    found = query_bounds.seen(found, query, "opened_at")
    return _rows(found.order_by("-opened_at", "-pk"), query)


def closed_orders(account_id: int, query: ClosedQuery) -> OrderPage:
    """See Trading.closed_orders."""
    ended = Order.objects.filter(account_id=account_id, closed_at__isnull=False)
    found = query_bounds.seen(_named(ended, query), query, "opened_at", "closed_at")
    if query.close_time in {CloseTime.OPEN, CloseTime.BOTH}:
        found = query_bounds.asked(found, query, "opened_at")
    if query.close_time in {CloseTime.CLOSE, CloseTime.BOTH}:
        found = query_bounds.asked(found, query, "closed_at")
    found = query_bounds.beyond(found, _place(ended, query.after_id), "closed_at")
    found = query_bounds.up_to(found, _place(ended, query.until_id), "closed_at")
    page = found.order_by("-closed_at", "-pk")[query.offset : query.offset + PAGE]
    return OrderPage(rows=tuple(_rows(page, query)), count=found.count() if query.with_count else None)


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
    if listed:
        made = Trade.objects.filter(order__in=[order.pk for order in listed]).order_by("at", "pk")
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


def _place(ended: QuerySet[Order], txid: str) -> tuple[datetime, int] | None:
    if not txid:
        return None
    place = ended.filter(txid=txid).values_list("closed_at", "pk").first()
    if place is None or place[0] is None:
        raise UnknownOrder("There is no such closed order.", field="start")
    return place[0], place[1]
