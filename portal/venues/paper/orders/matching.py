"""Catching up: what the price path has done to open orders since they were last looked at.

A fill happens at the step that crossed, whenever it is found out: a late look, another node or a restart find the same.
"""

from datetime import datetime, timedelta
from functools import partial
from heapq import heapify, heappop, heappush

from django.db import transaction
from django.db.models import Q

from portal.core.errors import DomainError
from portal.core.money import to_units
from portal.venues.journal.writing import together
from portal.venues.paper import catalogue
from portal.venues.paper.orders import rows
from portal.venues.paper.orders.changes import Changes, Part
from portal.venues.paper.orders.models import Order
from portal.venues.paper.prices import quotes, source
from portal.venues.paper.prices.path import STEP, Path, step_at, time_of
from portal.venues.types import OrderChange, OrderStatus, Pair, Side

# How far ahead a path is searched before it is looked at again: twelve days.
HORIZON = 1 << 20
INSTANT = timedelta(microseconds=1)


def due(now: datetime) -> Q:
    """Open orders to which something has happened, or whose prices come from elsewhere now."""
    key = source.path().key
    return Q(status=OrderStatus.OPEN) & (Q(due_at__lte=now) | Q(path__lt=key) | Q(path__gt=key))


def renew(account_id: int, now: datetime, limit: int) -> int:
    """Look ahead anew for orders that were looked at under other prices: these count from now on.

    At most `limit` of them; says how many. The others stay due, and nothing happens to them until they were looked at.
    """
    path = source.path()
    others = Order.objects.filter(account_id=account_id, status=OrderStatus.OPEN).exclude(path=path.key)
    renewed = 0
    for order in others.order_by("pk")[:limit]:
        order.looked_step = min(order.looked_step, step_at(now))
        plan(order, path)
        order.save()
        renewed += 1
    return renewed


def settle(account_id: int, until: datetime, limit: int) -> int:
    """Carry out what happened to the Account's orders up to an instant, in the order in which it happened.

    The caller holds the Account's lock. At most `limit` events; says how many.
    """
    path = source.path()
    orders = Order.objects.filter(account_id=account_id, status=OrderStatus.OPEN, path=path.key, due_at__lte=until)
    found = list(orders.order_by("due_at", "pk")[:limit])
    rows.look_up_turnovers(found)
    waiting = [(order.due_at or until, order.pk, order) for order in found]
    heapify(waiting)
    events = 0
    while waiting and events < limit and waiting[0][0] <= until:
        _, _, order = heappop(waiting)
        _happen(order, path)
        order.save()
        events += 1
        if order.due_at is not None:
            heappush(waiting, (order.due_at, order.pk, order))
    return events


def plan(order: Order, path: Path) -> None:
    """Look ahead for what happens to the order next, and note when."""
    pair, side = catalogue.pair(order.pair), Side(order.side)
    until = order.looked_step + HORIZON
    last = None if order.expires_at is None else step_at(order.expires_at - INSTANT)
    if last is not None:
        until = max(order.looked_step, min(until, last))
    crosses = partial(quotes.crosses, side, pair.id, order.price_units or 0)
    found = path.first(pair.id, order.looked_step, until, crosses)
    order.path = path.key
    if found.step is not None:
        order.looked_step, order.due_at = found.step - 1, time_of(found.step)
    elif last is not None and found.examined >= last:
        order.looked_step, order.due_at = last, order.expires_at
    else:
        order.looked_step, order.due_at = found.examined, time_of(found.examined) + STEP


def _happen(order: Order, path: Path) -> None:
    """The event that was planned: a fill, the end of its time, or a further look ahead."""
    pair, step = catalogue.pair(order.pair), order.looked_step + 1
    mid = path.mid(pair.id, step)
    if order.expires_at is not None and order.due_at == order.expires_at:
        end(order, OrderChange.EXPIRED, order.expires_at, "Order expired")
        return
    if quotes.crosses(Side(order.side), pair.id, order.price_units or 0, mid, mid):
        try:
            with transaction.atomic(), together():
                _cross(order, pair, path, step)
        except DomainError as error:
            # A balance that cannot grow further must not keep the other orders from being looked at.
            order.refresh_from_db()
            order.turnover = None
            end(order, OrderChange.CANCELED, time_of(step), error.message[:60])
        order.looked_step = step
    if order.is_open:
        plan(order, path)


def _cross(order: Order, pair: Pair, path: Path, step: int) -> None:
    """Fill as much as is offered at the order's price, but never leave less than an order may have."""
    side = Side(order.side)
    offered = sum(
        offer.volume
        for offer in quotes.offers(path, pair.id, step, side)
        if quotes.within(side, order.price_units, offer.price)
    )
    volume = min(order.remaining_units, offered)
    if order.remaining_units - volume < to_units(pair.minimum_volume, pair.volume_decimals):
        volume = order.remaining_units
    fill(order, Part(order.price_units or 0, volume, order.maker_rate, is_maker=True), time_of(step))


def fill(order: Order, part: Part, at: datetime) -> None:
    """A fill of one order alone, written."""
    changes = Changes(order.account_id)
    changes.fill(order, part, at)
    changes.write()


def end(order: Order, change: OrderChange, at: datetime, reason: str) -> None:
    """The end of one order alone, written."""
    changes = Changes(order.account_id)
    changes.end(order, change, at, reason)
    changes.write()
