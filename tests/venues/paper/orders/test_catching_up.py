"""Orders that nobody looked at: caught up as if somebody had looked all the time."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.jobs.periodic import all_tasks
from portal.venues.paper.orders.models import Order
from portal.venues.types import LedgerQuery, OrderStatus, TradeQuery
from tests.venues.conftest import START, open_account, pay_in
from tests.venues.ordering import VENUE, has, now, place
from tests.venues.paper.orders.conftest import FLAT

pytestmark = pytest.mark.usefixtures("adds_up")


def test_orders_are_caught_up_in_the_order_in_which_things_happened(trader, prices, clock):
    low = place(trader, "buy", "0.01", "50000")
    high = place(trader, "buy", "0.01", "55000")
    sell = place(trader, "sell", "0.01", "65000")
    prices(FLAT, (10, "XBT/USD", "54000"), (20, "XBT/USD", "49000"), (30, "XBT/USD", "66000"))
    clock(10**6)

    ledger = VENUE.ledger(trader.pk, LedgerQuery(kind="trade")).rows
    trades = {trade.id: trade.order_id for trade in VENUE.trades(trader.pk, TradeQuery()).rows}
    assert [trades[entry.reference] for entry in reversed(ledger)][::2] == [high.id, low.id, sell.id]
    assert [entry.at for entry in ledger] == sorted((entry.at for entry in ledger), reverse=True)


def test_a_late_look_finds_what_many_looks_find(trader, settings, clock):
    settings.PAPER_PRICES = "walk:7"
    twin = open_account()
    pay_in(twin, "100000", "USD")
    pay_in(twin, "1")
    for account in (trader, twin):
        mid = VENUE.depth("XBTUSD", 1).asks[0].price
        for thousandth in (1, 2, 3, 5, 8):
            away = (mid * thousandth / 1000).quantize(Decimal("0.1"))
            place(account, "buy", "0.1", mid - away)
            place(account, "sell", "0.1", mid + away)
    for second in range(0, 7200, 60):
        clock(second)
        VENUE.settle_due(1000) if second % 600 else VENUE.balances(twin.pk)
        if second == 3600:
            # The other Account looks for the first time in an hour.
            VENUE.balances(trader.pk)

    def fills(account):
        rows = VENUE.trades(account.pk, TradeQuery()).rows
        return [(trade.at, trade.side, trade.price, trade.volume, trade.cost, trade.fee) for trade in rows]

    assert fills(trader) == fills(twin)
    assert len(fills(twin)) >= 3
    assert has(trader) == has(twin)


def test_everybodys_orders_are_settled_within_a_limit(trader, prices, clock):
    for _ in range(5):
        place(trader, "buy", "0.01", "50000")
    prices(FLAT, (5, "XBT/USD", "40000"))
    clock(10)

    assert VENUE.settle_due(3) == 3
    assert Order.objects.filter(status="open").count() == 2
    assert VENUE.settle_due(100) == 2
    assert VENUE.settle_due(100) == 0


def test_the_worker_settles_without_being_asked(trader, prices, clock):
    row = place(trader, "buy", "0.01", "50000")
    prices(FLAT, (5, "XBT/USD", "40000"))
    clock(10)

    (task,) = [task for task in all_tasks() if task.name == "portal.venues.paper.tasks.settle"]
    task.run()
    assert Order.objects.get(txid=row.id).status == OrderStatus.CLOSED


def test_other_prices_count_from_when_they_are_first_seen(trader, prices, clock):
    row = place(trader, "buy", "0.01", "50000")
    clock(100)
    # Under these it would have crossed at once.
    prices((0, "XBT/USD", "40000"), (100, "XBT/USD", "60000"))
    assert now(trader, row).status is OrderStatus.OPEN
    prices((0, "XBT/USD", "60000"), (200, "XBT/USD", "40000"))
    assert now(trader, row).status is OrderStatus.OPEN
    clock(200)
    assert now(trader, row).closed_at == START + timedelta(seconds=200)


def test_balances_are_one_statement_until_something_is_due(trader, prices, clock):
    place(trader, "buy", "0.01", "50000")
    with CaptureQueriesContext(connection) as captured:
        VENUE.balances(trader.pk)
    assert len(captured) == 1, captured.captured_queries
    prices(FLAT, (5, "XBT/USD", "49000"))
    clock(5)
    assert has(trader)["BTC"] == (Decimal("1.01"), 0)


def test_a_balance_that_can_grow_no_further_ends_the_order_only(trader, prices, clock):
    row = place(trader, "sell", "0.01", "70000")
    other = place(trader, "sell", "0.01", "71000")
    pay_in(trader, str(Decimal(2**63 - 1).scaleb(-4) - 100000), "USD")
    prices(FLAT, (5, "XBT/USD", "72000"))
    clock(5)

    assert now(trader, row).status is OrderStatus.CANCELED
    assert "out of range" in now(trader, row).reason
    assert now(trader, other).status is OrderStatus.CANCELED
    assert has(trader)["BTC"] == (1, 0)
