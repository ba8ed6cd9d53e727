"""Orders and trades as everybody above the venue sees them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction

from portal.core.money import from_units
from portal.venues.paper import catalogue
from portal.venues.paper.orders.models import Order, Trade
from portal.venues.types import (
    OrderKind,
    OrderRow,
    OrderStatus,
    Pair,
    Side,
    TimeInForce,
    TradeRow,
)


def of_order(order: Order, turnover: int, trades: Iterable[str] = ()) -> OrderRow:
    """The order as it stands; `turnover` is that of all its trades, `trades` are those to be named."""
    pair = catalogue.pair(order.pair)
    return OrderRow(
        id=order.txid,
        pair=pair,
        side=Side(order.side),
        kind=OrderKind(order.kind),
        status=OrderStatus(order.status),
        reason=order.reason,
        time_in_force=TimeInForce(order.time_in_force),
        is_post_only=order.is_post_only,
        userref=order.userref,
        cl_ord_id=order.cl_ord_id,
        opened_at=order.opened_at,
        closed_at=order.closed_at,
        expires_at=order.expires_at,
        price=from_units(order.price_units or 0, pair.price_decimals),
        volume=from_units(order.volume_units, pair.volume_decimals),
        filled_volume=from_units(order.filled_units, pair.volume_decimals),
        cost=catalogue.as_cost(pair, order.cost_units),
        fee=catalogue.as_cost(pair, order.fee_units),
        average_price=_average(pair, turnover, order.filled_units),
        trades=tuple(trades),
    )


def of_trade(trade: Trade, ledger_ids: Sequence[str] = ()) -> TradeRow:
    """The trade of an order that is loaded; `ledger_ids` are those to be named."""
    pair = catalogue.pair(trade.order.pair)
    return TradeRow(
        id=trade.txid,
        number=trade.pk,
        order_id=trade.order.txid,
        pair=pair,
        at=trade.at,
        side=Side(trade.order.side),
        kind=OrderKind(trade.order.kind),
        price=from_units(trade.price_units, pair.price_decimals),
        volume=from_units(trade.volume_units, pair.volume_decimals),
        cost=catalogue.as_cost(pair, trade.cost_units),
        fee=catalogue.as_cost(pair, trade.fee_units),
        is_maker=trade.is_maker,
        ledger_ids=tuple(ledger_ids),
    )


def turnover_of(trades: Iterable[Trade]) -> int:
    """What trades of one order moved: price times volume, in the last places of both, for their average price."""
    return sum(trade.price_units * trade.volume_units for trade in trades)


def turnover(order: Order) -> int:
    """What the order's trades moved so far, looked up if nobody has yet: whoever ends several does that at once."""
    if order.turnover is None:
        look_up_turnovers([order])
    return order.turnover or 0


def look_up_turnovers(orders: Sequence[Order]) -> None:
    """Let each order know what its trades moved so far; in one statement, and in none if nothing was filled."""
    made: defaultdict[int, list[Trade]] = defaultdict(list)
    if filled := [order.pk for order in orders if order.filled_units]:
        for trade in Trade.objects.filter(order__in=filled):
            made[trade.order_id].append(trade)
    for order in orders:
        order.turnover = turnover_of(made[order.pk])


def _average(pair: Pair, turnover: int, filled_units: int) -> Decimal:
    """What was paid for one, from prices and volumes: of a rounded cost it would be a price that never was."""
    return from_units(round(Fraction(turnover, filled_units)) if filled_units else 0, pair.price_decimals)
