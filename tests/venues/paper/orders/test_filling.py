"""Orders of the paper exchange: from what they are filled, when, and what they hold until then."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from portal.venues.paper.orders.models import Trade
from portal.venues.types import LedgerQuery, OpenQuery, OrderStatus, TimeInForce, TradeQuery
from tests.venues.conftest import START, pay_in
from tests.venues.ordering import VENUE, has, now, place
from tests.venues.paper.orders.conftest import FLAT

pytestmark = pytest.mark.usefixtures("adds_up")
ORDER_ID = re.compile(r"O[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{6}")
TRADE_ID = re.compile(r"T[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{6}")


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
