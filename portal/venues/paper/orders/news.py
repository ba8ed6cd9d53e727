"""What happens to an order, as the journal of its Account tells it."""

from datetime import datetime

from portal.venues.journal.writing import note
from portal.venues.paper.orders import rows
from portal.venues.paper.orders.models import Order, Trade
from portal.venues.types import OrderChange, OrderEvent


def changed(order: Order, change: OrderChange, at: datetime, trade: Trade | None = None) -> None:
    """Note what has just happened to the order; its trade too, if it was one."""
    row = rows.of_order(order, turnover(order))
    note(order.account_id, OrderEvent(at, change, row, None if trade is None else rows.of_trade(trade)))


def turnover(order: Order) -> int:
    """What the order's trades moved so far, looked up if nobody has yet: whoever ends several does that at once."""
    if order.turnover is None:
        rows.look_up_turnovers([order])
    return order.turnover or 0
