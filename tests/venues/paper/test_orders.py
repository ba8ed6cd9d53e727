"""Orders of the paper exchange: what they take, hold and give back."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from portal.core.errors import Invalid
from portal.jobs.periodic import all_tasks
from portal.venues.errors import (
    ClientIdTaken,
    CostTooSmall,
    DeadlineElapsed,
    InvalidPrice,
    OrderFunds,
    TickSize,
    UnknownOrder,
    UnknownPair,
    VolumeTooSmall,
)
from portal.venues.paper import reconciliation
from portal.venues.paper.ledger.models import Entry
from portal.venues.paper.orders.models import Order, Trade, TradedDay
from portal.venues.types import LedgerQuery, OpenQuery, OrderStatus, TimeInForce, TradeQuery
from tests.venues.conftest import START, open_account, pay_in
from tests.venues.ordering import VENUE, asked, has, now, place

ORDER_ID = re.compile(r"O[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{6}")
TRADE_ID = re.compile(r"T[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{6}")
FLAT = (0, "XBT/USD", "60000")


@pytest.fixture
def trader(empty, prices, clock):
    """An Account with a hundred thousand dollars and one bitcoin, at 60000."""
    prices(FLAT)
    clock(0)
    pay_in(empty, "100000", "USD")
    pay_in(empty, "1")
    return empty


@pytest.fixture(autouse=True)
def _adds_up(db):
    yield
    assert list(reconciliation.differences()) == []


def test_a_market_order_is_filled_from_the_book_at_once(trader):
    book = VENUE.depth("XBTUSD", 1)
    row = place(trader, "buy", "0.01")

    assert ORDER_ID.fullmatch(row.id)
    assert (row.status, row.filled_volume, row.average_price) == (
        OrderStatus.CLOSED,
        Decimal("0.01"),
        Decimal("60003.0"),
    )
    assert row.average_price == book.asks[0].price
    assert (row.cost, row.fee) == (Decimal("600.0300"), Decimal("2.4002"))
    assert has(trader) == {"BTC": (Decimal("1.01"), 0), "USD": (Decimal("99397.5698"), 0)}


def test_a_market_order_walks_the_book_level_by_level(trader):
    book = VENUE.depth("XBTUSD", 50)
    wanted = book.bids[0].volume + book.bids[1].volume / 2
    row = place(trader, "sell", wanted)

    trades = VENUE.trades(trader.pk, TradeQuery()).rows
    assert [(trade.price, trade.volume) for trade in reversed(trades)] == [
        (book.bids[0].price, book.bids[0].volume),
        (book.bids[1].price, book.bids[1].volume / 2),
    ]
    assert row.cost == sum(trade.cost for trade in trades)
    assert {trade.is_maker for trade in trades} == {False}


def test_a_market_order_beyond_the_book_takes_all_of_it_and_ends(trader):
    pay_in(trader, "500")
    there = sum(level.volume for level in VENUE.depth("XBTUSD", 500).bids)
    row = place(trader, "sell", "400")

    assert there < 400
    assert (row.status, row.filled_volume, row.reason) == (OrderStatus.CANCELED, there, "Insufficient liquidity")
    assert has(trader)["BTC"][1] == 0


def test_a_trade_leaves_two_rows_in_the_ledger_with_the_fee_on_the_dollars(trader):
    row = place(trader, "sell", "0.01")

    (trade,) = VENUE.trades(trader.pk, TradeQuery(with_ledgers=True)).rows
    rows = {entry.asset.code: entry for entry in VENUE.ledger(trader.pk, LedgerQuery(kind="trade")).rows}
    assert TRADE_ID.fullmatch(trade.id)
    assert (trade.order_id, trade.at) == (row.id, START)
    assert {entry.id for entry in rows.values()} == set(trade.ledger_ids)
    assert {entry.reference for entry in rows.values()} == {trade.id}
    assert (rows["BTC"].amount_units, rows["BTC"].fee_units) == (-(10**8), 0)
    assert (rows["USD"].amount_units, rows["USD"].fee_units) == (5_999_700, 23_999)
    assert rows["USD"].balance_units == 10**9 + 5_999_700 - 23_999


def test_a_limit_order_rests_and_holds_what_it_may_cost(trader):
    row = place(trader, "buy", "0.5", "50000")

    assert (row.status, row.filled_volume) == (OrderStatus.OPEN, Decimal(0))
    assert has(trader)["USD"] == (Decimal(100000), Decimal(25000) + Decimal("62.5"))
    assert VENUE.open_orders(trader.pk, OpenQuery()) == [row]
    place(trader, "sell", "0.4", "70000")
    assert has(trader)["BTC"] == (Decimal(1), Decimal("0.4"))


def test_a_limit_order_fills_when_the_price_crosses(trader, prices, clock):
    row = place(trader, "buy", "0.01", "50000")
    prices(FLAT, (30, "XBT/USD", "49990"), (31, "XBT/USD", "60000"))
    clock(29)
    assert now(trader, row).status is OrderStatus.OPEN

    clock(5000)
    filled = now(trader, row)
    assert (filled.status, filled.average_price) == (OrderStatus.CLOSED, Decimal("50000.0"))
    assert filled.closed_at == START + timedelta(seconds=30), "when it crossed, not when somebody looked"
    assert (filled.cost, filled.fee) == (Decimal("500.0000"), Decimal("1.2500")), "maker"
    assert has(trader)["USD"] == (Decimal("99498.75"), 0)
    (trade,) = VENUE.trade_rows(trader.pk, filled.trades, TradeQuery())
    assert (trade.is_maker, trade.at) == (True, filled.closed_at)


def test_a_sell_fills_when_the_price_rises(trader, prices, clock):
    row = place(trader, "sell", "0.01", "70000")
    prices(FLAT, (30, "XBT/USD", "70100"))
    clock(30)

    assert now(trader, row).status is OrderStatus.CLOSED
    assert has(trader) == {"BTC": (Decimal("0.99"), 0), "USD": (Decimal(100000) + 700 - Decimal("1.75"), 0)}


def test_a_large_order_fills_in_parts_by_what_is_on_offer(trader, prices, clock):
    pay_in(trader, "20")
    row = place(trader, "sell", "20", "60010")
    # Only the best level reaches the order for one second, then the price falls back.
    prices(FLAT, (10, "XBT/USD", "60013.0"), (11, "XBT/USD", "60000"))
    clock(60)

    part = now(trader, row)
    assert part.status is OrderStatus.OPEN
    assert 0 < part.filled_volume < 20
    assert has(trader)["BTC"] == (Decimal(21) - part.filled_volume, Decimal(20) - part.filled_volume)
    assert VENUE.cancel_orders(trader.pk, order_id=row.id) == 1
    ended = now(trader, row)
    assert (ended.status, ended.filled_volume) == (OrderStatus.CANCELED, part.filled_volume)
    assert has(trader)["BTC"] == (Decimal(21) - part.filled_volume, 0)


def test_a_window_hides_what_an_open_order_traded_after_its_end(trader, prices, clock):
    """DESIGN K4: queries see nothing outside, neither the trades nor what they add up to."""
    pay_in(trader, "20")
    row = place(trader, "sell", "20", "60010")
    prices(FLAT, (10, "XBT/USD", "60013.0"), (11, "XBT/USD", "60000"))
    clock(60)
    whole = now(trader, row)
    before, after = START + timedelta(seconds=5), START + timedelta(seconds=30)

    def seen(until):
        (found,) = VENUE.open_orders(trader.pk, OpenQuery(with_trades=True, seen_before=until))
        assert found == now(trader, row, seen_before=until)
        return found

    assert (seen(before).filled_volume, seen(before).cost, seen(before).fee, seen(before).trades) == (0, 0, 0, ())
    assert whole.trades
    assert seen(after) == whole


def test_a_fill_never_leaves_less_than_an_order_may_have(trader, prices, clock):
    level = VENUE.depth("XBTUSD", 1)
    prices(FLAT, (10, "XBT/USD", "60013.0"), (11, "XBT/USD", "60000"))
    clock(10)
    offered = VENUE.depth("XBTUSD", 1).bids[0].volume
    clock(0)
    pay_in(trader, "20")
    assert level.asks
    row = place(trader, "sell", offered + Decimal("0.00004"), "60010")
    clock(60)

    assert now(trader, row).status is OrderStatus.CLOSED


def test_a_marketable_limit_order_takes_and_then_rests(trader):
    best = VENUE.depth("XBTUSD", 2).bids
    pay_in(trader, "10")
    row = place(trader, "sell", best[0].volume + 1, best[0].price)

    assert (row.status, row.filled_volume) == (OrderStatus.OPEN, best[0].volume)
    assert row.fee == (row.cost * Decimal("0.004")).quantize(Decimal("0.0001"), "ROUND_DOWN"), "taker"
    assert has(trader)["BTC"][1] == 1


def test_immediate_or_cancel_never_rests(trader):
    best = VENUE.depth("XBTUSD", 1).asks[0]
    row = place(trader, "buy", best.volume + 1, best.price, time_in_force=TimeInForce.IOC)
    away = place(trader, "buy", "1", "1000", time_in_force=TimeInForce.IOC)

    assert (row.status, row.filled_volume) == (OrderStatus.CANCELED, best.volume)
    assert (away.status, away.filled_volume) == (OrderStatus.CANCELED, Decimal(0))
    assert has(trader)["USD"][1] == 0


def test_a_post_only_order_never_takes(trader):
    row = place(trader, "buy", "0.01", "60010", is_post_only=True)
    rests = place(trader, "buy", "0.01", "59000", is_post_only=True)

    assert (row.status, row.filled_volume, row.reason) == (OrderStatus.CANCELED, Decimal(0), "Post only order")
    assert rests.status is OrderStatus.OPEN
    assert not Trade.objects.exists()


def test_an_order_good_till_date_expires_by_the_clock(trader, prices, clock):
    until = START + timedelta(seconds=30)
    row = place(trader, "buy", "0.01", "50000", time_in_force=TimeInForce.GTD, expires_at=until)
    early = place(trader, "buy", "0.01", "55000", time_in_force=TimeInForce.GTD, expires_at=until)
    prices(FLAT, (29, "XBT/USD", "54000"), (30, "XBT/USD", "40000"))
    clock(3600)

    assert (now(trader, row).status, now(trader, row).closed_at) == (OrderStatus.EXPIRED, until)
    assert now(trader, early).status is OrderStatus.CLOSED
    assert has(trader)["USD"][1] == 0


def test_validating_places_nothing(trader):
    row = place(trader, "buy", "0.01", "50000", only_validate=True)

    assert row.id == ""
    assert not Order.objects.exists()
    # Funds aside: it looks at what is written (fault bots-A1).
    assert place(trader, "buy", "10", "50000", only_validate=True).id == ""


@pytest.mark.parametrize(
    ("error", "terms"),
    [
        (UnknownPair, {"pair": "DOGEUSD"}),
        (VolumeTooSmall, {"volume": "0.00004"}),
        (CostTooSmall, {"price": "100"}),
        (TickSize, {"price": "50000.05"}),
        (InvalidPrice, {"price": "0"}),
        (InvalidPrice, {"price": "-1"}),
        (InvalidPrice, {"price": "1e40"}),
        (InvalidPrice, {"price": "NaN"}),
        (Invalid, {"volume": "0.000050001"}),
        (Invalid, {"volume": "1e30"}),
        (Invalid, {"volume": "NaN"}),
        (Invalid, {"volume": "0"}),
        (Invalid, {"userref": 2**31}),
        (Invalid, {"userref": 1, "cl_ord_id": "a"}),
        (Invalid, {"cl_ord_id": "nineteen-characters"}),
        (Invalid, {"cl_ord_id": ""}),
        (Invalid, {"cl_ord_id": "ümlaut"}),
        (Invalid, {"time_in_force": TimeInForce.GTD}),
        (Invalid, {"expires_at": START + timedelta(days=1)}),
        (Invalid, {"time_in_force": TimeInForce.GTD, "expires_at": START}),
        (Invalid, {"time_in_force": TimeInForce.IOC, "is_post_only": True}),
        (Invalid, {"price": None, "is_post_only": True}),
        (DeadlineElapsed, {"deadline": START}),
        (Invalid, {"deadline": START + timedelta(seconds=61)}),
        (OrderFunds, {"volume": "2.1"}),
        (OrderFunds, {"volume": "90000000000"}),
    ],
)
def test_what_cannot_be_an_order_is_refused_and_holds_nothing(trader, error, terms):
    with pytest.raises(error):
        place(trader, **{"side": "buy", "volume": "0.00005", "price": "50000", **terms})
    assert not Order.objects.exists()
    assert has(trader)["USD"] == (100000, 0)


def test_an_empty_account_can_buy_nothing(empty):
    for price in (None, "50000"):
        with pytest.raises(OrderFunds):
            place(empty, "buy", "1", price)


def test_the_last_unit_can_be_spent_and_not_one_more(empty, prices, clock):
    prices(FLAT)
    pay_in(empty, "501.2500", "USD")
    with pytest.raises(OrderFunds):
        place(empty, "buy", "0.01000001", "50000")
    place(empty, "buy", "0.01", "50000")

    assert has(empty)["USD"] == (Decimal("501.25"), Decimal("501.25"))
    prices(FLAT, (5, "XBT/USD", "49000"))
    clock(5)
    assert has(empty)["USD"] == (0, 0)


def test_held_dollars_cannot_be_withdrawn_nor_spent_twice(trader):
    place(trader, "buy", "1.9", "50000")
    with pytest.raises(OrderFunds):
        place(trader, "buy", "0.2", "50000")


def test_a_client_id_is_taken_while_its_order_is_open(trader):
    """AP-14: a repeated `cl_ord_id` dies on its uniqueness."""
    first = place(trader, "buy", "0.01", "50000", cl_ord_id="mine")
    with pytest.raises(ClientIdTaken):
        place(trader, "buy", "0.01", "50000", cl_ord_id="mine")
    other = open_account()
    pay_in(other, "1000", "USD")
    place(other, "buy", "0.01", "50000", cl_ord_id="mine")

    assert VENUE.cancel_orders(trader.pk, cl_ord_id="mine") == 1
    again = place(trader, "buy", "0.01", "50000", cl_ord_id="mine")
    assert [row.id for row in VENUE.orders(trader.pk, [first.id, again.id], OpenQuery(cl_ord_id="mine"))] == [
        again.id, first.id,
    ]  # fmt: skip


def test_the_database_takes_a_client_id_once_while_open(trader):
    place(trader, "buy", "0.01", "50000", cl_ord_id="mine")
    place(trader, "buy", "0.01", "50000", cl_ord_id="other")
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(cl_ord_id="other").update(cl_ord_id="mine")


@pytest.mark.parametrize(
    "change",
    [
        {"filled_units": 10**9},
        {"held_units": -1},
        {"status": "closed"},
        {"status": "odd"},
        {"due_at": None},
        {"price_units": None},
        {"expires_at": START},
        {"userref": 1, "cl_ord_id": "x"},
    ],
)
def test_the_database_keeps_orders_in_order(trader, change):
    place(trader, "buy", "0.01", "50000")
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.update(**change)


def test_cancelling_gives_back_what_was_held(trader):
    first = place(trader, "buy", "0.01", "50000", userref=7)
    place(trader, "buy", "0.02", "50000", userref=7)
    place(trader, "sell", "0.02", "70000")

    assert VENUE.cancel_orders(trader.pk, userref=7) == 2
    assert has(trader) == {"BTC": (1, Decimal("0.02")), "USD": (100000, 0)}
    for gone in ({"order_id": first.id}, {"userref": 7}, {"cl_ord_id": "x"}, {"order_id": "OAAAAA-AAAAA-AAAAAA"}, {}):
        with pytest.raises(UnknownOrder):
            VENUE.cancel_orders(trader.pk, **gone)
    assert VENUE.cancel_all_orders(trader.pk) == 1
    assert VENUE.cancel_all_orders(trader.pk) == 0
    assert has(trader)["BTC"] == (1, 0)
    assert now(trader, first).reason == "User requested"


def test_a_cancel_after_the_crossing_comes_too_late(trader, prices, clock):
    row = place(trader, "buy", "0.01", "50000")
    prices(FLAT, (5, "XBT/USD", "49000"))
    clock(10)

    with pytest.raises(UnknownOrder):
        VENUE.cancel_orders(trader.pk, order_id=row.id)
    assert now(trader, row).status is OrderStatus.CLOSED


def test_another_accounts_order_is_unknown(trader):
    row = place(trader, "buy", "0.01", "50000")
    stranger = open_account()

    with pytest.raises(UnknownOrder):
        VENUE.cancel_orders(stranger.pk, order_id=row.id)
    assert VENUE.orders(stranger.pk, [row.id], OpenQuery()) == []


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


def test_fees_fall_with_what_was_traded_in_thirty_days(trader, clock):
    def taker():
        return VENUE.trade_volume(trader.pk, ["XBTUSD"]).fees[0].taker

    assert (taker().percent, taker().next_percent, taker().next_volume) == (Decimal("0.4"), Decimal("0.35"), 10000)
    place(trader, "sell", "0.2")
    volume = VENUE.trade_volume(trader.pk, []).volume
    assert volume == sum(trade.cost for trade in VENUE.trades(trader.pk, TradeQuery()).rows)
    assert (taker().percent, taker().tier_volume) == (Decimal("0.35"), 10000)
    assert place(trader, "sell", "0.01").fee == Decimal("2.0999"), "0.35 percent of 599.97, rounded up"
    clock(30 * 86400)
    assert VENUE.trade_volume(trader.pk, []).volume == 0
    assert taker().percent == Decimal("0.4")
    assert TradedDay.objects.count() == 1


def test_the_last_tier_has_no_next_one(trader):
    TradedDay.objects.create(account=trader, on=START.date(), value_units=10**7 * 10**4)
    fees = VENUE.trade_volume(trader.pk, ["ETHUSD"]).fees[0]
    TradedDay.objects.all().delete()

    assert (fees.maker.percent, fees.maker.next_percent, fees.maker.next_volume) == (Decimal(0), None, None)
    assert VENUE.schedule("ETHUSD").maker[-1].percent == 0


def test_the_trade_balance_counts_everything_at_reference_prices(trader):
    place(trader, "buy", "0.5", "50000")
    balance = VENUE.trade_balance(trader.pk, "ZUSD")

    assert balance.equivalent == 160000
    assert balance.unexecuted == Decimal("25062.5")
    assert balance.free == balance.equivalent - balance.unexecuted
    assert VENUE.trade_balance(open_account().pk, "ZEUR").equivalent == 0


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


def test_an_order_is_refused_whole_when_the_balance_would_overflow(trader):
    pay_in(trader, str(Decimal(2**63 - 1).scaleb(-4) - 100000), "USD")
    with pytest.raises(Invalid, match="out of range"):
        VENUE.place_order(trader.pk, asked("sell", "0.01"))
    assert not Order.objects.exists()
    assert not Entry.objects.filter(kind="trade").exists()
