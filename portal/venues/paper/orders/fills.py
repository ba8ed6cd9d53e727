"""What happens to an open order: a fill, an end. The caller holds the lock of the Account's balances."""

from datetime import datetime, timedelta

from django.db.models import F, Sum

from portal.core.money import to_units
from portal.core.secrets import sealing
from portal.venues.paper import catalogue, fees
from portal.venues.paper.ledger.models import Balance, Book, EntryKind
from portal.venues.paper.ledger.posting import Leg, post
from portal.venues.paper.orders import amounts, news
from portal.venues.paper.orders.models import Order, Trade, TradedDay
from portal.venues.paper.prices.markets import worth
from portal.venues.paper.prices.path import step_at
from portal.venues.types import OrderChange, OrderStatus, Pair, Side


def new_id(letter: str) -> str:
    """An id in the protocol's form, as `OQCLML-BW3P3-BUCMWZ` (reference §7)."""
    return f"{letter}{sealing.token(5)}-{sealing.token(5)}-{sealing.token(6)}"


def fill(order: Order, *, price_units: int, volume_units: int, rate: int, at: datetime, is_maker: bool) -> None:
    """Trade that much of the order and hold that much less; what is filled up is closed."""
    pair, side = catalogue.pair(order.pair), Side(order.side)
    turnover = news.turnover(order) + price_units * volume_units
    cost_units = amounts.cost(pair, price_units, volume_units)
    # A taker's fee is rounded up: what rounding the cost of many small orders down brings never outweighs it.
    fee_units = amounts.fee(pair, cost_units, rate, up=not is_maker)
    order.filled_units += volume_units
    order.cost_units += cost_units
    order.fee_units += fee_units
    if is_maker:
        hold(order, pair)
    txid = new_id("T")
    legs = _legs(order.account_id, pair, side, amounts.base(pair, volume_units), cost_units, fee_units)
    value_units = _value(pair, cost_units, at)
    trade = Trade.objects.create(
        account_id=order.account_id,
        order=order,
        entry=post(EntryKind.TRADE, txid, legs, at=at),
        txid=txid,
        at=at,
        price_units=price_units,
        volume_units=volume_units,
        cost_units=cost_units,
        fee_units=fee_units,
        value_units=value_units,
        is_maker=is_maker,
    )
    _count(order.account_id, value_units, at)
    order.turnover = turnover
    if not order.remaining_units:
        _end(order, OrderStatus.CLOSED, at)
    news.changed(order, OrderChange.TRADE, at, trade)


def hold(order: Order, pair: Pair) -> None:
    """Hold what the rest of a limit order can take at most, and give back what was held beyond."""
    side = Side(order.side)
    _hold(order, amounts.hold(pair, side, order.price_units or 0, order.remaining_units, order.maker_rate))


def end(order: Order, change: OrderChange, at: datetime, reason: str) -> None:
    """Cancel or expire the order, and give back everything held for it."""
    _end(order, OrderStatus(change), at, reason)
    news.changed(order, change, at)


def traded(account_id: int, now: datetime) -> int:
    """What the Account traded on the last thirty days, today included, in units of the fees' currency."""
    since = (now - fees.COUNTED + timedelta(days=1)).date()
    days = TradedDay.objects.filter(account_id=account_id, on__gte=since)
    return days.aggregate(total=Sum("value_units"))["total"] or 0


def _end(order: Order, status: OrderStatus, at: datetime, reason: str = "") -> None:
    _hold(order, 0)
    # Clocks of two nodes differ by a little; no order closes before it opened.
    closed_at = max(at, order.opened_at)
    order.status, order.reason, order.closed_at, order.due_at = status, reason, closed_at, None


def _hold(order: Order, units: int) -> None:
    if units == order.held_units:
        return
    asset = amounts.spent(catalogue.pair(order.pair), Side(order.side))
    Balance.objects.filter(account_id=order.account_id, asset=asset.id).update(
        held_by_orders_units=F("held_by_orders_units") + units - order.held_units
    )
    order.held_units = units


def _legs(account_id: int, pair: Pair, side: Side, base_units: int, cost_units: int, fee_units: int) -> list[Leg]:
    """The fee is taken in the quote asset, from what is paid or from what comes in."""
    base, quote, sign = pair.base.id, pair.quote.id, 1 if side is Side.BUY else -1
    legs = (
        Leg(base, sign * base_units, account_id=account_id),
        Leg(base, -sign * base_units, book=Book.MARKET),
        Leg(quote, -sign * cost_units - fee_units, account_id=account_id, fee_units=fee_units),
        Leg(quote, sign * cost_units, book=Book.MARKET),
        Leg(quote, fee_units, book=Book.FEES),
    )
    return [leg for leg in legs if leg.units]


def _value(pair: Pair, cost_units: int, at: datetime) -> int:
    currency = fees.CURRENCY
    return to_units(worth(pair.quote, cost_units, currency, step_at(at)), currency.decimals)


def _count(account_id: int, value_units: int, at: datetime) -> None:
    days = TradedDay.objects.filter(account_id=account_id, on=at.date())
    if not days.update(value_units=F("value_units") + value_units):
        TradedDay.objects.create(account_id=account_id, on=at.date(), value_units=value_units)
