"""Orders placed by socket: every word of a message, and that it is the same order as by a call."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.api_keys import usage
from accounts.models import RefusedCall
from portal.venues.registry import venue
from portal.venues.types import OpenQuery
from tests.api.stream.messages import Raw

pytestmark = pytest.mark.django_db

FAR: dict[str, object] = {
    "order_type": "limit",
    "side": "buy",
    "symbol": "BTC/USD",
    "order_qty": Raw("0.01"),
    "limit_price": Raw("10000"),
}
INVALID = "EGeneral:Invalid arguments"


def soon(seconds: float = 30) -> str:
    return (timezone.now() + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def test_an_order_by_socket_is_the_order_that_a_call_places(messenger, trading):
    placed = messenger.result(
        "add_order", **FAR, order_userref=7, post_only=True, time_in_force="gtd", expire_time=soon(3600),
        deadline=soon(), fee_preference="quote", stp_type="cancel_newest", token="x", no_mpp=True,
    )  # fmt: skip
    assert placed.keys() == {"order_id", "order_userref"}
    assert placed["order_userref"] == 7
    by_socket = trading.result("OpenOrders")["open"][placed["order_id"]]
    (txid,) = trading.result(
        "AddOrder", pair="XBTUSD", type="buy", ordertype="limit", volume="0.01", price="10000", userref="7",
        oflags="post,fciq,nompp", timeinforce="GTD", expiretm=f"{by_socket['expiretm']:.6f}", deadline=soon(),
        stptype="cancel-newest",
    )["txid"]  # fmt: skip
    by_call = trading.result("OpenOrders")["open"][txid]
    assert by_socket | {"opentm": 0} == by_call | {"opentm": 0}
    assert by_call["oflags"] == "fciq,post"


def test_the_bots_own_name_comes_back(messenger, trading):
    placed = messenger.result("add_order", **FAR, cl_ord_id="mine-1")
    assert placed == {"order_id": placed["order_id"], "cl_ord_id": "mine-1"}
    (row,) = trading.result("OpenOrders", cl_ord_id="mine-1")["open"]
    assert row == placed["order_id"]


def test_the_bots_own_name_may_be_a_number(messenger, account):
    placed = messenger.result("add_order", **FAR, cl_ord_id=Raw("20261129"))
    assert placed["cl_ord_id"] == "20261129"
    (order,) = venue("paper").open_orders(account.pk, OpenQuery(cl_ord_id="20261129"))
    assert order.id == placed["order_id"]


def test_a_market_order_fills_at_once(messenger, trading):
    placed = messenger.result("add_order", order_type="market", side="buy", symbol="BTC/USD", order_qty=Raw("1e-3"))
    row = trading.result("QueryOrders", txid=placed["order_id"])[placed["order_id"]]
    assert (row["status"], row["vol_exec"]) == ("closed", "0.00100000")


def test_validate_places_nothing_and_has_no_id(messenger, trading):
    assert messenger.result("add_order", **FAR, validate=True, order_userref=3) == {"order_id": "", "order_userref": 3}
    assert trading.result("OpenOrders") == {"open": {}}


@pytest.mark.parametrize(
    ("quantity", "told"),
    [
        (Raw("0.01000000"), "0.01000000"),
        (Raw("1e-2"), "0.01000000"),
        (Raw("1"), "1.00000000"),
        (Raw("0.012345678901e0"), None),
        ("0.01", "0.01000000"),
    ],
)
def test_quantities_are_exact(messenger, account, quantity, told):
    """A float would have placed the fourth at another volume; too many places are refused as by a call."""
    answers = messenger.answers("add_order", **{**FAR, "order_qty": quantity, "limit_price": Raw("1000")})
    rows = venue(account.venue).open_orders(account.pk, OpenQuery())
    assert [f"{row.volume:f}" for row in rows] == ([told] if told else [])
    assert answers[0].success is (told is not None)


def test_what_says_nothing_is_taken(messenger):
    """What clients send without being asked, and null for what they leave out."""
    nothing = {
        "reduce_only": False, "margin": False, "display_qty": Raw("0.00000000"), "triggers": {}, "conditional": {},
        "limit_price_type": "static", "post_only": False, "validate": False, "cash_order_qty": None, "no_mpp": False,
        "cl_ord_id": None, "effective_time": None, "stp_type": "cancel_both",
    }  # fmt: skip
    assert messenger.result("add_order", **FAR, **nothing)["order_id"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"symbol": "BTC/XYZ"}, "EQuery:Unknown asset pair"),
        ({"symbol": True}, INVALID),
        ({"symbol": ["BTC/USD"]}, INVALID),
        ({"symbol": None}, INVALID),
        ({"order_qty": Raw("0.000001")}, "EOrder:Order minimum not met"),
        ({"order_qty": Raw("100")}, "EOrder:Insufficient funds"),
        ({"order_qty": True}, INVALID),
        ({"order_qty": None}, INVALID),
        ({"order_qty": "x"}, INVALID),
        ({"order_qty": "NaN"}, INVALID),
        ({"order_qty": Raw("-1")}, INVALID),
        ({"order_qty": Raw("1e999999")}, INVALID),
        ({"order_qty": Raw("1e-999999")}, INVALID),
        ({"order_qty": Raw("1" * 400)}, INVALID),
        ({"order_qty": Raw("0." + "1" * 400)}, INVALID),
        ({"order_qty": {"a": 1}}, INVALID),
        ({"limit_price": Raw("10000.05")}, "EOrder:Tick size check failed"),
        ({"limit_price": Raw("0")}, "EOrder:Invalid price"),
        ({"limit_price": None}, "EOrder:Invalid price"),
        ({"limit_price": "1e999999"}, "EOrder:Invalid price"),
        ({"limit_price": Raw("1e999999")}, "EOrder:Invalid price"),
        ({"limit_price": False}, INVALID),
        ({"limit_price": "+1%"}, INVALID),
        ({"limit_price": Raw("-5")}, INVALID),
        ({"side": "hold"}, INVALID),
        ({"side": 1}, INVALID),
        ({"order_type": "magic"}, INVALID),
        ({"order_userref": Raw("2147483648")}, INVALID),
        ({"order_userref": True}, INVALID),
        ({"order_userref": Raw("1.5")}, INVALID),
        ({"order_userref": Raw("9" * 400)}, INVALID),
        ({"cl_ord_id": "x" * 19}, INVALID),
        ({"cl_ord_id": "a\u0000b"}, INVALID),
        ({"order_userref": 1, "cl_ord_id": "a"}, INVALID),
        ({"time_in_force": "gtd"}, INVALID),
        ({"time_in_force": "gtx"}, INVALID),
        ({"time_in_force": True}, INVALID),
        ({"expire_time": "tomorrow"}, INVALID),
        ({"expire_time": "1970-01-01T00:00:00Z"}, INVALID),
        ({"expire_time": "2026-01-01T00:00:00"}, INVALID),
        ({"expire_time": "1999-01-01T00:00:00Z"}, INVALID),
        ({"expire_time": 1900000000}, INVALID),
        ({"deadline": "later"}, INVALID),
        ({"deadline": "2020-01-01T00:00:00Z"}, "EService:Deadline elapsed"),
        ({"post_only": "perhaps"}, INVALID),
        ({"validate": "perhaps"}, INVALID),
        ({"validate": []}, INVALID),
        ({"stp_type": "cancel_none"}, INVALID),
        ({"fee_preference": "third"}, INVALID),
        ({"no_mpp": 7}, INVALID),
        ({"margin": "perhaps"}, INVALID),
        ({"limit_price_type": "round"}, INVALID),
    ],
)
def test_what_is_wrong_places_nothing(messenger, trading, change, error):
    before = trading.result("BalanceEx")
    assert messenger.error("add_order", **{**FAR, **change}) == error
    assert trading.result("OpenOrders") == {"open": {}}
    assert trading.result("BalanceEx") == before


@pytest.mark.parametrize(
    ("change", "option"),
    [
        ({"order_type": "stop-loss"}, "order_type=stop-loss"),
        ({"order_type": "iceberg"}, "order_type=iceberg"),
        ({"time_in_force": "fok"}, "time_in_force=FOK"),
        ({"reduce_only": True}, "reduce_only"),
        ({"margin": True}, "margin"),
        ({"display_qty": Raw("0.001")}, "display_qty"),
        ({"cash_order_qty": 100}, "cash_order_qty"),
        ({"triggers": {"reference": "last", "price": 5}}, "triggers"),
        ({"conditional": {"order_type": "limit"}}, "conditional"),
        ({"effective_time": "2030-01-01T00:00:00Z"}, "effective_time"),
        ({"limit_price_type": "pct"}, "limit_price_type=pct"),
        ({"fee_preference": "base"}, "fee_preference=base"),
        ({"sender_sub_id": "desk"}, "sender_sub_id"),
        ({"userref": 5}, "userref"),
        ({"Validate": True}, "Validate"),
        ({"limit_price": "#5"}, "limit_price (relative)"),
    ],
)
def test_what_is_not_offered_is_named_to_its_author_and_places_nothing(messenger, trading, change, option):
    """Also what the protocol does not know: a misspelt `validate` would place an order."""
    assert messenger.error("add_order", **{**FAR, **change}) == INVALID
    assert trading.result("OpenOrders") == {"open": {}}
    usage.flush()
    call = RefusedCall.objects.get(api_key=messenger.bot.key)
    assert (call.method, call.answer, call.reason) == ("add_order", INVALID, "option")
    assert call.facts == {"field": option}


def test_what_is_missing_is_named_as_the_bot_knows_it(messenger):
    messenger.error("add_order", **{**FAR, "order_qty": None})
    usage.flush()
    call = RefusedCall.objects.get(api_key=messenger.bot.key)
    assert (call.method, call.reason, call.facts) == ("add_order", "arguments", {"field": "order_qty"})
