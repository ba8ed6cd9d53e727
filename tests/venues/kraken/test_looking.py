"""Changes of orders, batches and what else a paper exchange does not know: looked for before anything is repeated."""

import json
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any, TypeAlias

import pytest

from accounts.models import Account
from portal.venues.errors import OutcomeUnknown
from portal.venues.kraken.relay import line, looking, sending
from portal.venues.kraken.venue import KrakenVenue
from portal.venues.relaying import RelayedCall
from tests.venues.kraken.conftest import Exchange, answering

pytestmark = pytest.mark.django_db

Said: TypeAlias = "Mapping[str, Any] | list[Any] | str | None"
ID = "OAAAAA-AAAAA-AAAAAA"
NEW = "OBBBBB-BBBBB-BBBBBB"
AMEND = {"txid": ID, "order_qty": "2.0", "limit_price": "101"}
EDIT = {"txid": ID, "pair": "XBTUSD", "volume": "2", "price": "101"}
LINES: list[dict[str, Any]] = [
    {"ordertype": "limit", "type": "buy", "price": "1", "volume": "0.5", "userref": 1},
    {"ordertype": "limit", "type": "sell", "price": "9", "volume": "0.5", "cl_ord_id": "mine"},
]
LOST = None
OVERLOADED = "EGeneral:Internal error"
NONCE = "EAPI:Invalid nonce"


@pytest.fixture(autouse=True)
def _no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "SECONDS", 3.0)
    monkeypatch.setattr(sending, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(looking, "PAUSES", (0.0, 0.01))
    monkeypatch.setattr(looking, "QUERY_PAUSES", (0.01, 0.01))


class Script:
    """What the exchange says to each method, in turn; the last of it for ever. None: the answer is lost."""

    def __init__(self, exchange: Exchange, said: Mapping[str, list[Said]]) -> None:
        self.exchange, self.said = exchange, {method: list(answers) for method, answers in said.items()}
        self.asked: list[str] = []
        exchange.says = self

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        method = handler.path.removeprefix("/0/private/")
        self.asked.append(method)
        answers = self.said[method]
        said = answers.pop(0) if len(answers) > 1 else answers[0]
        if said is None:
            handler.close_connection = True
        else:
            body = {"error": [said]} if isinstance(said, str) else {"error": [], "result": said}
            answering(json.dumps(body).encode())(handler)


@pytest.fixture
def relay(exchange: Exchange, connected: Account) -> Callable[..., tuple[Any, list[str]]]:
    """The bot's answer, or what was raised instead; and every method that was asked, in order."""

    def relayed(method: str, fields: Mapping[str, Any], said: Mapping[str, list[Said]]) -> tuple[Any, list[str]]:
        script = Script(exchange, said)
        call = RelayedCall(connected.pk, 7, method, fields, frozenset())
        try:
            answer = json.loads(KrakenVenue().relay(call).body)
            return (answer["error"] or answer["result"], script.asked)
        except OutcomeUnknown:
            return (OutcomeUnknown, script.asked)

    return relayed


def order(status: str = "open", vol: str = "1", price: str = "100", **more: Any) -> dict[str, Any]:
    descr = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": price, "order": f"buy {vol} @ {price}"}
    return {"status": status, "vol": vol, "descr": descr, "opentm": time.time(), **more}


def amends(*rows: tuple[str, str, str], at: float = 0.0, kind: str = "user") -> dict[str, Any]:
    at = int((time.time() + at) * 10**9)
    return {
        "count": len(rows),
        "amends": [
            {"amend_id": name, "amend_type": kind, "order_qty": qty, "limit_price": price, "timestamp": at}
            for name, qty, price in rows
        ],
    }


@pytest.mark.parametrize("fault", [LOST, OVERLOADED])
def test_an_amend_that_the_order_shows_was_done(relay, fault):
    told, asked = relay(
        "AmendOrder", AMEND, {"AmendOrder": [fault], "OrderAmends": [amends(("one", "2", "101.0"), ("two", "3", "1"))]}
    )
    assert (told, asked) == ({"amend_id": "one"}, ["AmendOrder", "OrderAmends"])


@pytest.mark.parametrize("fault", [LOST, OVERLOADED])
def test_an_amend_that_was_not_done_is_sent_once_more(relay, fault):
    """Of an order that stands as it stood. The same values a second time change nothing."""
    done = {"amend_id": "one"}
    said: dict[str, list[Said]] = {}
    for seen in (amends(), amends(("old", "2", "101"), at=-60.0), amends(("x", "2", "101"), kind="original")):
        said = {"AmendOrder": [fault, done], "OrderAmends": [seen], "QueryOrders": [{ID: order()}]}
        told, asked = relay("AmendOrder", AMEND, said)
        assert (told, asked) == (done, ["AmendOrder", "OrderAmends", "QueryOrders", "AmendOrder"])
    told, asked = relay("AmendOrder", AMEND, {**said, "AmendOrder": [fault, done], "OrderAmends": [OVERLOADED]})
    assert (told, asked.count("AmendOrder")) == (OutcomeUnknown, 1)


@pytest.mark.parametrize("row", [order("closed"), order("canceled"), order(vol="2.00", price="101"), None])
def test_an_amend_of_which_nobody_knows_is_not_sent_again(relay, row):
    said = {"AmendOrder": [LOST], "OrderAmends": ["EGeneral:Unknown method"], "QueryOrders": [{ID: row} if row else {}]}
    told, asked = relay("AmendOrder", AMEND, said)
    assert (told, asked) == (OutcomeUnknown, ["AmendOrder", "OrderAmends", "QueryOrders"])


def test_an_amend_by_a_name_of_the_bot_is_looked_for_under_it(relay):
    fields = {"cl_ord_id": "mine", "order_qty": "2"}
    said = {
        "AmendOrder": [LOST],
        "OpenOrders": [{"open": {ID: order()}}],
        "OrderAmends": [amends(("one", "2", "5"))],
    }
    assert relay("AmendOrder", fields, said)[0] == {"amend_id": "one"}
    said["OpenOrders"] = [{"open": {}}]
    assert relay("AmendOrder", fields, said)[0] is OutcomeUnknown


def test_an_amend_that_is_lost_twice_is_not_sent_a_third_time(relay):
    said = {"AmendOrder": [LOST], "OrderAmends": [amends()], "QueryOrders": [{ID: order()}]}
    told, asked = relay("AmendOrder", AMEND, said)
    assert (told, asked.count("AmendOrder")) == (OutcomeUnknown, 2)


@pytest.mark.parametrize("method", ["AmendOrder", "EditOrder", "AddOrderBatch"])
def test_a_change_with_an_invalid_nonce_is_not_repeated(relay, method):
    told, asked = relay(method, {**EDIT, "orders": LINES}, {method: [NONCE]})
    assert (told, asked) == ([NONCE], [method])


@pytest.mark.parametrize("fault", [LOST, OVERLOADED])
def test_an_edit_that_is_there_under_a_new_id_was_done(relay, fault):
    said = {
        "EditOrder": [fault],
        "QueryOrders": [{ID: order("canceled")}],
        "OpenOrders": [{"open": {"OTHER": order(vol="2"), NEW: order(vol="2.0", price="101.0")}}],
    }
    told, asked = relay("EditOrder", EDIT, said)
    assert (told["txid"], told["originaltxid"], told["status"], told["volume"]) == (NEW, ID, "ok", "2.0")
    assert (told["descr"], asked) == (
        {"order": "buy 2.0 @ 101.0"}, ["EditOrder", "QueryOrders", "OpenOrders"],
    )  # fmt: skip


def test_an_edit_of_an_order_that_still_stands_is_sent_once_more(relay):
    said = {"EditOrder": [LOST, {"txid": NEW}], "QueryOrders": [{ID: order()}]}
    told, asked = relay("EditOrder", EDIT, said)
    assert (told, asked) == ({"txid": NEW}, ["EditOrder", "QueryOrders", "EditOrder"])


def test_an_edit_that_could_be_any_or_none_is_unknown(relay):
    for found in (
        {},
        {"A": order(vol="2", price="101"), "B": order(vol="2", price="101")},
        {"A": order(vol="2", price="101", opentm=1.0)},
    ):
        said = {"EditOrder": [LOST], "QueryOrders": [{ID: order("canceled")}], "OpenOrders": [{"open": found}]}
        assert relay("EditOrder", EDIT, said) == (OutcomeUnknown, ["EditOrder", "QueryOrders", "OpenOrders"])


def listed(first: bool = True, second: bool = True) -> dict[str, Any]:
    rows = {
        "O1": order(vol="0.50", userref=1, cl_ord_id=None),
        "O2": {**order(vol="0.5", userref=None, cl_ord_id="mine"), "descr": {"type": "sell", "order": "sell"}},
    }
    return {name: row for name, row, is_there in zip(rows, rows.values(), (first, second), strict=True) if is_there}


def test_a_batch_is_looked_for_line_by_line(relay):
    fields = {"pair": "XBTUSD", "orders": LINES}
    said: dict[str, list[Said]] = {"AddOrderBatch": [LOST], "ClosedOrders": [{"closed": {}}]}
    told, asked = relay("AddOrderBatch", fields, {**said, "OpenOrders": [{"open": listed()}]})
    assert [row["txid"] for row in told["orders"]] == ["O1", "O2"]
    assert asked.count("AddOrderBatch") == 1
    told, asked = relay("AddOrderBatch", fields, {**said, "OpenOrders": [{"open": listed(second=False)}]})
    assert (told["orders"][0]["txid"], told["orders"][1]) == ("O1", {"error": "EService:Timeout"})
    told, asked = relay("AddOrderBatch", fields, {**said, "OpenOrders": [{"open": {}}]})
    assert (told, asked.count("AddOrderBatch")) == (OutcomeUnknown, 1)
    nameless = {"pair": "XBTUSD", "orders": [LINES[0], {**LINES[1], "cl_ord_id": ""}]}
    assert relay("AddOrderBatch", nameless, said) == (OutcomeUnknown, ["AddOrderBatch"])
    assert relay("AddOrderBatch", nameless, {"AddOrderBatch": [OVERLOADED]}) == ([OVERLOADED], ["AddOrderBatch"])


@pytest.mark.parametrize(
    ("method", "fields", "second", "told"),
    [
        ("CancelOrderBatch", {"orders": ["A", "B"]}, "EOrder:Unknown order", {"count": 2}),
        ("CancelOrderBatch", {"orders": ["A", "B"]}, {"count": 1}, {"count": 1}),
        ("CancelOrder", {"cl_ord_id": "mine"}, "EOrder:Invalid order", {"count": 1}),
        ("CancelAll", {}, {"count": 0}, {"count": 0}),
        ("CancelAllOrdersAfter", {"timeout": "60"}, {"triggerTime": "0"}, {"triggerTime": "0"}),
    ],
)
@pytest.mark.parametrize("fault", [LOST, OVERLOADED, NONCE])
def test_cancellations_are_repeated(relay, method, fields, second, told, fault):
    """What is gone after an invalid nonce was gone before: then the exchange's own word counts."""
    found, asked = relay(method, fields, {method: [fault, second]})
    assert asked == [method, method]
    assert found == ([second] if fault == NONCE and isinstance(second, str) else told)


@pytest.mark.parametrize("answer", [{"open": []}, [], {"open": {ID: 5}}, "x"])
def test_what_cannot_be_read_while_looking_is_no_find(relay, answer):
    said = {"AddOrder": [LOST], "OpenOrders": [answer], "ClosedOrders": [answer]}
    assert relay("AddOrder", {"userref": "1", "volume": "1", "type": "buy"}, said)[0] is OutcomeUnknown
