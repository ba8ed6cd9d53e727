"""DESIGN K4: what comes back is judged row by row, whatever the exchange has made of the bounds it was sent."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.api.calls import Wire
from tests.gateway.proxy import faults
from tests.gateway.relay.conftest import Bots, raw
from tests.gateway.relay.past import INVALID

FIRST, BEFORE = 1_700_000_000, 1_700_000_100
ROWS: list[tuple[str, Any, bool]] = [
    ("before", Decimal("1699999999.9999"), False),
    ("first", 1_700_000_000, True),
    ("inside", Decimal("1700000050.123456789"), True),
    ("last", Decimal("1700000099.9999999"), True),
    ("end", 1_700_000_100, False),
    ("after", Decimal("1700000100.0001"), False),
    ("text", "1700000050.5", True),
    ("nothing", None, False),
    ("yes", True, False),
]


@pytest.fixture
def narrow(bots: Bots) -> Wire:
    return bots(
        "narrow-bot",
        query_start=datetime.fromtimestamp(FIRST, UTC),
        query_end=datetime.fromtimestamp(BEFORE, UTC),
    )


def written(at: object) -> str:
    if at is None or at is True:
        return "null" if at is None else "true"
    return f'"{at}"' if isinstance(at, str) else str(at)


@pytest.mark.parametrize(
    ("method", "around", "fields"),
    [
        ("Ledgers", '{"ledger":%s,"count":60,"more":1.50}', {}),
        ("TradesHistory", '{"count":60,"trades":%s,"more":1.50}', {}),
        ("QueryTrades", "%s", {"txid": "a"}),
    ],
)
def test_rows_are_judged_by_their_own_times_and_what_is_left_stays_as_it_was(narrow, proxy, method, around, fields):
    """The exchange of this test has not heard of bounds."""

    def rows(only_seen: bool) -> str:
        texts = [
            f'"{name}":{{"time":{written(at)},"vol":1.10,"unknown":[1e2]}}'
            for name, at, is_seen in ROWS
            if is_seen or not only_seen
        ]
        return "{" + ",".join(texts) + "}"

    body = ('{"error":["WGeneral:Odd"],"result":' + around + ',"beside":[]}').replace("%s", rows(False)).encode()
    proxy.on(method, faults.shape(body), times=1)
    found = raw(narrow, method, **fields).decode()
    hidden = sum(not is_seen for *_, is_seen in ROWS)
    left = ('{"error":["WGeneral:Odd"],"result":' + around + ',"beside":[]}').replace("%s", rows(True))
    if "count" in around:
        assert f'"count":{60 - hidden}' in found
        found, left = found.replace(f'"count":{60 - hidden},', ""), left.replace('"count":60,', "")
        found, left = found.replace(f',"count":{60 - hidden}', ""), left.replace(',"count":60', "")
    assert found == left
    untouched = b'{ "error":[], "result": ' + around.replace("%s", rows(True)).encode() + b"}"
    proxy.forget()
    proxy.on(method, faults.shape(untouched))
    assert raw(narrow, method, **fields) == untouched


def order(opened: object, closed: object = None, **more: object) -> dict[str, Any]:
    times = {"opentm": opened, **({} if closed is None else {"closetm": closed})}
    return {"status": "open" if closed is None else "closed", "vol_exec": "0.0", **times, **more}


@pytest.mark.parametrize(
    ("row", "is_seen"),
    [
        (order(FIRST, BEFORE - 0.5), True),
        (order(FIRST - 0.5, BEFORE - 0.5), False),
        (order(FIRST, BEFORE), False),
        (order(FIRST), True),
        (order(BEFORE), False),
        (order(FIRST, vol_exec="0.5"), False),
        (order(FIRST, status="canceled"), False),
        ({"status": "open"}, False),
    ],
)
def test_an_order_is_seen_if_all_of_it_lies_in_the_window(narrow, proxy, row, is_seen):
    """What one that still stands has traded by now is not of a window that has ended."""
    proxy.on("QueryOrders", faults.shape({"error": [], "result": {"O": row}}))
    assert narrow.result("QueryOrders", txid="O") == ({"O": row} if is_seen else {})


def test_orders_that_stand_and_orders_that_ended_have_a_permission_each(bots, proxy):
    rows = {"A": order(1), "B": order(1, 2), "C": order(1, status="pending")}
    proxy.on("QueryOrders", faults.shape({"error": [], "result": rows}))
    for name, permission, seen in (
        ("open-bot", "query-open-trades", {"A", "C"}), ("closed-bot", "query-closed-trades", {"B"}),
    ):  # fmt: skip
        assert bots(name, (permission,)).result("QueryOrders", txid="A,B,C").keys() == seen
    assert bots("both-bot").result("QueryOrders", txid="A,B,C") == rows


def test_amends_of_an_order_need_the_permission_of_the_order(bots, proxy):
    proxy.on("QueryOrders", faults.shape({"error": [], "result": {"A": order(1)}}))
    proxy.on("OrderAmends", faults.shape({"error": [], "result": {"count": 0, "amends": []}}))
    assert bots("open-bot", ("query-open-trades",)).result("OrderAmends", order_id="A")["count"] == 0
    assert bots("closed-bot", ("query-closed-trades",)).error("OrderAmends", order_id="A") == INVALID


def test_orders_counted_by_one_time_are_not_counted(narrow, proxy):
    """The window bounds both times of an order: how many of all pages that leaves is not known."""
    rows = {"A": order(FIRST, FIRST + 1)}
    proxy.on("ClosedOrders", faults.shape({"error": [], "result": {"closed": rows, "count": 7}}))
    assert narrow.result("ClosedOrders", closetime="close", start=str(FIRST)) == {"closed": rows}
    assert narrow.result("ClosedOrders", closetime="close") == {"closed": rows, "count": 7}
    first, second = proxy.requests("ClosedOrders")
    assert (first.fields["closetime"], "closetime" in second.fields) == ("close", False)


@pytest.mark.parametrize("wrap", ['{"deposit":%s,"next_cursor":"x"}', '{"deposits":%s,"next_cursor":null}', "%s"])
def test_deposits_are_judged_by_whole_seconds(bots, proxy, wrap):
    half = timedelta(milliseconds=500)
    bot = bots(
        "half-bot", query_start=datetime.fromtimestamp(FIRST, UTC), query_end=datetime.fromtimestamp(BEFORE, UTC) + half
    )
    rows = [f'{{"time":{at},"fee":0.10}}' for at in (FIRST - 1, FIRST, BEFORE - 1, BEFORE)]
    around = ('{"error":[],"result":' + wrap + "}").replace("%s", "[%s]")
    proxy.on("DepositStatus", faults.shape((around % ",".join(rows)).encode()))
    assert raw(bot, "DepositStatus").decode() == around % ",".join(rows[1:3])
    (request,) = proxy.requests("DepositStatus")
    assert (request.fields["start"], request.fields["end"]) == (str(FIRST), f"{BEFORE}.4999999")


def test_an_answer_whose_rows_cannot_be_read_is_not_shown(narrow, proxy):
    for result in ('{"ledger":[1]}', '{"ledger":{"a":1}}', "[]", '"x"'):
        proxy.forget()
        proxy.on("Ledgers", faults.shape(b'{"error":[],"result":%s}' % result.encode()))
        assert narrow.error("Ledgers") == "EService:Unavailable"


def test_a_position_and_what_became_of_it_are_not_of_a_window_that_has_ended(narrow, bots, proxy):
    row = {"time": FIRST + 1, "posstatus": "closed"}
    for method in ("QueryTrades", "OpenPositions"):
        proxy.on(method, faults.shape({"error": [], "result": {"T": row}}))
        assert narrow.result(method, txid="T") == {}
        later = bots(f"{method}-bot".lower(), query_start=datetime.fromtimestamp(FIRST, UTC))
        assert later.result(method, txid="T") == {"T": row}


def test_consolidated_positions_are_shown_where_the_window_hides_none(bots, proxy):
    bot = bots("later-bot", query_start=datetime.fromtimestamp(FIRST, UTC))
    consolidated = [{"pair": "XXBTZUSD", "positions": "2"}]

    def asked(*times: int) -> Any:
        proxy.forget()
        single: Any = {f"T{at}": {"time": at} for at in times} or []
        proxy.whenever(
            lambda request: faults.shape(
                {"error": [], "result": consolidated if "consolidation" in request.fields else single}
            )
        )
        return bot.ask("OpenPositions", consolidation="market")

    assert asked(FIRST, FIRST + 1) == {"error": [], "result": consolidated}
    assert asked(FIRST - 1, FIRST + 1) == {"error": [INVALID]}
    assert asked(FIRST - 1) == asked() == {"error": [], "result": []}
    assert bot.result("OpenPositions") == []
