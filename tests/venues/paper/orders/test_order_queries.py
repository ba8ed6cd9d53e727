"""What queries about orders and trades show, and to whom."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.venues.errors import UnknownOrder
from portal.venues.paper.orders import matching
from portal.venues.paper.orders.models import Order
from portal.venues.types import ClosedQuery, CloseTime, OpenQuery, TradeQuery
from tests.venues.conftest import START, open_account, pay_in
from tests.venues.ordering import VENUE, place


def after(seconds):
    return START + timedelta(seconds=seconds)


@pytest.fixture
def trader(empty, prices, clock):
    prices((0, "XBT/USD", "60000"))
    clock(0)
    pay_in(empty, "100000", "USD")
    pay_in(empty, "1")
    return empty


@pytest.fixture
def closed(trader, clock):
    """Three orders opened at 10, 20 and 30 and cancelled at 100, 90 and 80."""
    rows = []
    for second in (10, 20, 30):
        clock(second)
        rows.append(place(trader, "buy", "0.01", "50000", userref=second))
    for second, row in ((80, rows[2]), (90, rows[1]), (100, rows[0])):
        clock(second)
        VENUE.cancel_orders(trader.pk, order_id=row.id)
    return [row.id for row in rows]


def found(account, **query):
    return [row.id for row in VENUE.closed_orders(account.pk, ClosedQuery(**query)).rows]


def test_closed_orders_come_newest_first_by_when_they_closed(trader, closed):
    first, second, third = closed
    assert found(trader) == [first, second, third]
    assert found(trader, userref=20) == [second]
    assert found(trader, offset=2) == [third]
    assert VENUE.closed_orders(trader.pk, ClosedQuery(with_count=False)).count is None
    assert found(open_account()) == []


def test_a_stretch_bounds_opening_closing_or_both(trader, closed):
    first, second, third = closed
    assert found(trader, after=after(10), close_time=CloseTime.OPEN) == [second, third], "start is exclusive"
    assert found(trader, until=after(90), close_time=CloseTime.CLOSE) == [second, third], "end is inclusive"
    assert found(trader, after=after(10), until=after(80)) == [third]
    assert found(trader, after_id=second) == [first]
    assert found(trader, until_id=second) == [second, third]
    with pytest.raises(UnknownOrder):
        found(open_account(), after_id=first)


def test_a_key_sees_nothing_outside_its_window(trader, closed, clock):
    _, second, third = closed
    assert found(trader, seen_from=after(20)) == [second, third], "inclusive"
    assert found(trader, seen_before=after(90)) == [third], "exclusive"
    clock(200)
    row = place(trader, "buy", "0.01", "50000")
    assert VENUE.open_orders(trader.pk, OpenQuery(seen_from=after(200))) == [row]
    assert VENUE.open_orders(trader.pk, OpenQuery(seen_from=after(201))) == []
    assert VENUE.open_orders(trader.pk, OpenQuery(seen_before=after(200))) == []
    everything = [*closed, row.id]
    seen = VENUE.orders(trader.pk, everything, OpenQuery(seen_from=after(20), seen_before=after(90)))
    assert [order.id for order in seen] == [third]
    assert len(VENUE.orders(trader.pk, everything, OpenQuery())) == 4


def test_trades_come_newest_first_within_the_stretch_and_the_window(trader, clock):
    for second in (10, 20, 30):
        clock(second)
        place(trader, "sell", "0.01")

    def seen(**query):
        return [trade.at for trade in VENUE.trades(trader.pk, TradeQuery(**query)).rows]

    ids = [trade.id for trade in VENUE.trades(trader.pk, TradeQuery()).rows]
    assert seen() == [after(30), after(20), after(10)]
    assert seen(after=after(10), until=after(20)) == [after(20)]
    assert seen(seen_from=after(20), seen_before=after(30)) == [after(20)]
    assert seen(after_id=ids[1]) == [after(30)]
    assert seen(until_id=ids[1]) == [after(20), after(10)]
    assert [row.id for row in VENUE.trade_rows(trader.pk, ids, TradeQuery(seen_before=after(20)))] == [ids[2]]
    assert VENUE.trade_rows(open_account().pk, ids, TradeQuery()) == []
    with pytest.raises(UnknownOrder):
        VENUE.trades(open_account().pk, TradeQuery(after_id=ids[0]))


def test_lists_come_fifty_at_a_time_with_the_same_statements(trader, settings, clock):
    settings.PAPER_PRICES = "still"
    statements = []
    for number in (1, 54):
        for _ in range(number):
            place(trader, "buy", "0.0001")
        with CaptureQueriesContext(connection) as captured:
            VENUE.closed_orders(trader.pk, ClosedQuery(with_trades=True))
            VENUE.trades(trader.pk, TradeQuery(with_ledgers=True))
        statements.append(len(captured))
    orders = VENUE.closed_orders(trader.pk, ClosedQuery(with_trades=True))
    trades = VENUE.trades(trader.pk, TradeQuery(with_ledgers=True))
    assert (len(orders.rows), orders.count) == (50, 55)
    assert (len(trades.rows), trades.count) == (50, 55)
    assert {len(order.trades) for order in orders.rows} == {1}
    assert {len(trade.ledger_ids) for trade in trades.rows} == {2}
    assert statements[0] == statements[1]
    rest = VENUE.trades(trader.pk, TradeQuery(offset=50)).rows
    assert len({trade.id for trade in (*trades.rows, *rest)}) == 55
    clock(1)


@pytest.mark.parametrize(
    ("rows", "index"),
    [
        (
            Order.objects.filter(account=1).exclude(closed_at=None).order_by("-closed_at", "-pk")[:50],
            "closed_by_account",
        ),
        (Order.objects.filter(account=1, status="open", due_at__lte=START).order_by("due_at")[:50], "order_due"),
        (Order.objects.filter(path="x", status="open", due_at__lte=START).order_by("due_at")[:50], "order_due"),
    ],
)
def test_the_frequent_looks_are_served_by_an_index(db, rows, index):
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # With few rows it is as good to read or sort them all: which is done hangs on what was there before.
            for way in ("seqscan", "sort", "bitmapscan"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
    assert index in rows.explain()


def test_what_is_due_of_one_account_is_found_by_its_index(trader):
    rows = Order.objects.filter(matching.due(START), account_id=trader.pk)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    assert "order_due" in rows.explain()
