"""What happens to orders of one Account: fills, holds, ends. Worked out first, then written in a handful of statements.

The caller holds the lock of the Account's balances.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from portal.core.money import to_units
from portal.core.secrets import sealing
from portal.venues.journal.writing import note
from portal.venues.paper import catalogue, fees
from portal.venues.paper.ledger.balances import lock, save
from portal.venues.paper.ledger.models import Balance, Book, EntryKind
from portal.venues.paper.ledger.posting import Leg, Movement, book, places
from portal.venues.paper.orders import amounts, rows, traded_days
from portal.venues.paper.orders.models import Order, Trade
from portal.venues.paper.prices.markets import worth
from portal.venues.paper.prices.path import step_at
from portal.venues.types import OrderChange, OrderEvent, OrderRow, OrderStatus, Pair, Side


@dataclass(frozen=True, slots=True)
class Part:
    """A fill to be. `rate` is that of its fee, in millionths of the cost."""

    price_units: int
    volume_units: int
    rate: int
    is_maker: bool


@dataclass(frozen=True, slots=True)
class News:
    """An order as it stood after something had happened to it, and which of the trades that was, if it was one."""

    order: OrderRow
    change: OrderChange
    at: datetime
    trade: int | None = None


class Changes:
    """What happens to orders of one Account, in the order in which it happens.

    Orders are changed in memory; whoever calls saves them, a new one before `write`.
    """

    def __init__(self, account_id: int) -> None:
        self.account_id = account_id
        self._held: Counter[str] = Counter()
        self._trades: list[Trade] = []
        self._movements: list[Movement] = []
        self._news: list[News] = []

    def opened(self, order: Order) -> None:
        """Tell of a new order."""
        self._tell(order, OrderChange.NEW, order.opened_at)

    def fill(self, order: Order, part: Part, at: datetime) -> None:
        """Trade that much of the order and hold that much less; what is filled up is closed."""
        pair, side = catalogue.pair(order.pair), Side(order.side)
        turnover = rows.turnover(order) + part.price_units * part.volume_units
        cost_units = amounts.cost(pair, part.price_units, part.volume_units)
        # A taker's fee is rounded up: what rounding the cost of many small orders down brings never outweighs it.
        fee_units = amounts.fee(pair, cost_units, part.rate, up=not part.is_maker)
        order.filled_units += part.volume_units
        order.cost_units += cost_units
        order.fee_units += fee_units
        order.turnover = turnover
        if part.is_maker:
            self.hold(order)
        legs = _legs(self.account_id, pair, side, amounts.base(pair, part.volume_units), cost_units, fee_units)
        trade = Trade(
            account_id=self.account_id,
            order=order,
            txid=new_id("T"),
            at=at,
            price_units=part.price_units,
            volume_units=part.volume_units,
            cost_units=cost_units,
            fee_units=fee_units,
            value_units=_value(pair, cost_units, at),
            is_maker=part.is_maker,
        )
        self._trades.append(trade)
        self._movements.append(Movement(EntryKind.TRADE, trade.txid, legs, at))
        if not order.remaining_units:
            self._end(order, OrderStatus.CLOSED, at)
        self._tell(order, OrderChange.TRADE, at, len(self._trades) - 1)

    def hold(self, order: Order) -> None:
        """Hold what the rest of a limit order can take at most, and give back what was held beyond."""
        pair, side = catalogue.pair(order.pair), Side(order.side)
        units = amounts.hold(pair, side, order.price_units or 0, order.remaining_units, order.maker_rate)
        self._hold(order, units)

    def end(self, order: Order, change: OrderChange, at: datetime, reason: str) -> None:
        """Cancel or expire the order, and give back everything held for it."""
        self._end(order, OrderStatus(change), at, reason)
        self._tell(order, change, at)

    def write(self, balances: Mapping[str, Balance] | None = None) -> None:
        """Book, hold, and tell. `balances` are all of the Account's by asset id, where they are at hand.

        Raises: as `ledger.posting.post`.
        """
        if self._movements:
            self._book(balances or {})
        else:
            for asset, units in sorted(self._held.items()):
                own = Balance.objects.filter(account_id=self.account_id, asset=asset)
                own.update(held_by_orders_units=F("held_by_orders_units") + units)
            for news in self._news:
                self._note(news)

    def _book(self, known: Mapping[str, Balance]) -> None:
        wanted = places(self._movements) | {(self.account_id, asset) for asset in self._held}
        locked = {(self.account_id, asset): balance for asset, balance in known.items()}
        if not wanted <= locked.keys():
            locked = lock(wanted)
        # What is given back can be spent, and what comes in can be held.
        self._move_holds(locked, -1)
        booked = book(self._movements, locked)
        self._move_holds(locked, 1)
        save([locked[place] for place in sorted(wanted)], "units", "held_by_orders_units")
        for trade, one in zip(self._trades, booked, strict=True):
            trade.entry = one.entry
        Trade.objects.bulk_create(self._trades)
        traded_days.add(self.account_id, self._trades)
        for news in self._news:
            if news.trade is not None:
                booked[news.trade].tell()
            self._note(news)

    def _move_holds(self, balances: Mapping[tuple[int, str], Balance], sign: int) -> None:
        for asset, units in self._held.items():
            if units * sign > 0:
                balances[self.account_id, asset].held_by_orders_units += units

    def _end(self, order: Order, status: OrderStatus, at: datetime, reason: str = "") -> None:
        self._hold(order, 0)
        # Clocks of two nodes differ by a little; no order closes before it opened.
        closed_at = max(at, order.opened_at)
        order.status, order.reason, order.closed_at, order.due_at = status, reason, closed_at, None

    def _hold(self, order: Order, units: int) -> None:
        if units != order.held_units:
            asset = amounts.spent(catalogue.pair(order.pair), Side(order.side))
            self._held[asset.id] += units - order.held_units
            order.held_units = units

    def _tell(self, order: Order, change: OrderChange, at: datetime, trade: int | None = None) -> None:
        self._news.append(News(rows.of_order(order, rows.turnover(order)), change, at, trade))

    def _note(self, news: News) -> None:
        trade = None if news.trade is None else rows.of_trade(self._trades[news.trade])
        note(self.account_id, OrderEvent(news.at, news.change, news.order, trade))


def new_id(letter: str) -> str:
    """An id in the protocol's form, as `OQCLML-BW3P3-BUCMWZ` (reference §7)."""
    return f"{letter}{sealing.token(5)}-{sealing.token(5)}-{sealing.token(6)}"


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
