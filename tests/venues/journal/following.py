"""Journals as tests read and write them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from portal.venues.journal import reading
from portal.venues.journal.reading import Journalled
from portal.venues.paper import catalogue
from portal.venues.types import Asset, LedgerEvent, OrderChange, OrderEvent, OrderRow, OrderStatus
from tests.venues.ordering import VENUE

AT = datetime(2026, 11, 2, 12, 0, 0, 1, tzinfo=UTC)


def news(name="L1", amount="1.5000000000") -> LedgerEvent:
    """An event that nothing stands behind, called `name`."""
    return LedgerEvent(
        at=AT,
        ledger_id=name,
        reference="R1",
        kind="deposit",
        subkind="",
        asset=catalogue.BTC,
        amount=Decimal(amount),
        balance=Decimal("11.5000000000"),
        fee=Decimal("0E-10"),
    )


def told(account, after=0) -> Iterator[Journalled]:
    """Everything that the Account's journal tells after a number, page by page, with its numbers."""
    while page := reading.events(account.pk, after, VENUE, limit=7):
        yield from page
        after = page[-1].number


def events(account, after=0):
    return [row.event for row in told(account, after)]


def names(account):
    """What `news` called the events."""
    return [name for _, name in numbered(account)]


def numbered(account):
    """The same with their numbers."""
    return [(row.number, getattr(row.event, "ledger_id", "")) for row in told(account)]


class Follower:
    """What somebody knows of an Account who was there from the beginning and has read nothing but its journal."""

    def __init__(self, account):
        self.account = account
        self.last = 0
        self.balances: dict[Asset, Decimal] = {}
        self.open: dict[str, OrderRow] = {}
        self.ledger_ids: list[str] = []
        self.trade_ids: list[str] = []
        self.order_ids: list[str] = []

    def follow(self, until=None):
        """Read on, to that number if one is given; each event has to fit to those before."""
        for row in told(self.account, self.last):
            if until is not None and row.number > until:
                return
            assert row.number == self.last + 1
            self.last = row.number
            if isinstance(row.event, LedgerEvent):
                self._book(row.event)
            else:
                self._order(row.event)

    def _book(self, event: LedgerEvent) -> None:
        self.ledger_ids.append(event.ledger_id)
        before = self.balances.get(event.asset, Decimal(0))
        assert event.balance == before + event.amount - event.fee
        self.balances[event.asset] = event.balance

    def _order(self, event: OrderEvent) -> None:
        order = event.order
        if event.change is OrderChange.NEW:
            assert (order.status, order.filled_volume, event.trade) == (OrderStatus.OPEN, Decimal(0), None)
            self.order_ids.append(order.id)
            self.open[order.id] = order
            return
        before = self.open.pop(order.id)
        if event.change is OrderChange.TRADE:
            assert event.trade is not None
            self.trade_ids.append(event.trade.id)
            assert event.trade.order_id == order.id
            assert order.filled_volume == before.filled_volume + event.trade.volume
            assert (order.cost, order.fee) == (before.cost + event.trade.cost, before.fee + event.trade.fee)
            if order.status is OrderStatus.OPEN:
                self.open[order.id] = order
            else:
                assert (order.status, order.filled_volume) == (OrderStatus.CLOSED, order.volume)
        else:
            assert event.trade is None
            assert order.status == event.change.value
            assert (order.filled_volume, order.average_price) == (before.filled_volume, before.average_price)
