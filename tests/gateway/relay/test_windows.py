"""DESIGN K4: through the gateway a key asks for what its query window shows, and for nothing else."""

import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.gateway.proxy import faults
from tests.gateway.relay.past import INVALID, Past, lived, within


@pytest.fixture
def past(customer, real) -> Past:
    return lived(customer)


def test_lists_show_what_lies_in_the_window_and_count_it(past, bots):
    bot, first, before = past.windowed(bots)
    trades, ledger = within(past.trades, first, before, "time"), within(past.ledger, first, before, "time")
    closed = within(past.closed, first, before, "opentm", "closetm")
    assert (len(trades), len(ledger) > 3, 2 <= len(closed) < len(past.closed)) == (2, True, True)
    for method, name, seen in (
        ("TradesHistory", "trades", trades), ("Ledgers", "ledger", ledger), ("ClosedOrders", "closed", closed),
    ):  # fmt: skip
        found = bot.result(method)
        assert (set(found[name]), found["count"]) == (seen, len(seen)), method
        found = bot.result(method, start="0", end=str(int(time.time()) + 100), ofs=1)
        assert (len(found[name]), found["count"]) == (len(seen) - 1, len(seen)), method
    assert set(bot.result("OpenOrders")["open"]) == within(past.open, first, before, "opentm")


def test_bounds_of_the_bot_narrow_the_window_further(past, bots, proxy):
    bot, first, before = past.windowed(bots)
    (one, two) = sorted(Decimal(str(row["time"])) for row in past.trades.values() if first <= row["time"] < before)
    second = [name for name, row in past.trades.items() if Decimal(str(row["time"])) == two]
    assert list(bot.result("TradesHistory", start=str(one))["trades"]) == second
    assert next(iter(bot.result("TradesHistory", end=str(two))["trades"])) == second[0]
    asked = proxy.requests("TradesHistory")
    assert asked[0].fields["start"] == str(one)
    assert Decimal(asked[0].fields["end"]) < before


@pytest.mark.parametrize(
    ("method", "shown_by", "name", "kind"),
    [("TradesHistory", "QueryTrades", "txid", "trades"), ("Ledgers", "QueryLedgers", "id", "ledger"),
     ("ClosedOrders", "QueryOrders", "txid", "closed")],
)  # fmt: skip
def test_a_bound_that_names_a_row_has_to_be_visible(past, bots, proxy, method, shown_by, name, kind):
    bot, first, before = past.windowed(bots)
    rows = getattr(past, kind)
    times = ("opentm", "closetm") if kind == "closed" else ("time",)
    seen = within(rows, first, before, *times)
    for hidden in rows.keys() - seen:
        assert bot.error(method, start=hidden) == INVALID
    assert bot.error(method, end="TAAAAA-AAAAA-AAAAAA") == INVALID
    assert proxy.requests(method) == []
    newest = max(seen, key=lambda each: rows[each][times[-1]])
    assert set(bot.result(method, end=newest)[kind]) <= seen
    assert proxy.requests(method)[0].fields["end"] == newest
    assert bot.result(method, start=newest)[kind].keys() <= seen
    assert proxy.requests(shown_by)[0].fields[name] in rows


def test_single_ids_are_not_a_way_around_the_window(past, bots):
    bot, first, before = past.windowed(bots)
    trades = within(past.trades, first, before, "time")
    assert bot.result("QueryTrades", txid=",".join(past.trades)).keys() == trades
    orders = within(past.closed, first, before, "opentm", "closetm") | within(past.open, first, before, "opentm")
    assert bot.result("QueryOrders", txid=",".join(past.closed | past.open)).keys() == orders
    ledger = within(past.ledger, first, before, "time")
    assert bot.result("QueryLedgers", id=",".join(ledger)).keys() == ledger
    for hidden in past.ledger.keys() - ledger:
        assert bot.error("QueryLedgers", id=",".join([*ledger, hidden])) == INVALID
    assert bot.error("QueryLedgers", id="LAAAAA-AAAAA-AAAAAA") != ""


def test_an_order_that_the_window_hides_shows_no_amends(past, bots, proxy):
    bot, first, before = past.windowed(bots)
    at = int((first + Decimal("0.000001")) * 10**9)
    rows = [{"amend_id": "one", "timestamp": at}, {"amend_id": "late", "timestamp": int(before * 10**9)}]
    proxy.on("OrderAmends", faults.shape({"error": [], "result": {"count": 2, "new": 1, "amends": rows}}))
    seen = next(iter(within(past.open, first, before, "opentm")))
    assert bot.result("OrderAmends", order_id=seen) == {"count": 1, "new": 1, "amends": rows[:1]}
    proxy.forget()
    for hidden in (
        (past.open.keys() | past.closed.keys())
        - within(past.open, first, before, "opentm")
        - within(past.closed, first, before, "opentm", "closetm")
    ):
        assert bot.error("OrderAmends", order_id=hidden) == INVALID
    assert bot.error("OrderAmends", order_id=f"{seen},{seen}") == INVALID
    assert proxy.requests("OrderAmends") == []


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("Ledgers", {"cursor": "all"}),
        ("ClosedOrders", {"starttm": "0"}),
        ("TradesHistory", {"pair": "XBTUSD"}),
        ("AddExport", {"report": "ledgers", "description": "x", "until": "1"}),
        ("AddExport", {"report": "ledgers", "description": "x", "fields": "txid,amount"}),
        ("DepositStatus", {"start": "today"}),
    ],
)
def test_what_is_not_known_to_be_bounded_is_refused(bots, proxy, method, fields):
    bot = bots("windowed-bot", query_start=datetime(2026, 1, 1, tzinfo=UTC))
    assert bot.error(method, **fields) == INVALID
    assert proxy.requests() == []


@pytest.mark.parametrize("method", ["AddOrder", "CancelOrder", "DepositMethods", "Earn/Strategies"])
def test_what_tells_nothing_of_the_past_is_passed_on_whole(bots, proxy, method):
    bot = bots("windowed-bot", query_start=datetime(2026, 1, 1, tzinfo=UTC))
    proxy.on(method, faults.shape({"error": [], "result": {}}))
    bot.result(method, unheard="of", asset="XBT")
    assert proxy.requests(method)[0].fields["unheard"] == "of"
