"""Orders over the wire: placed, seen, cancelled, refused."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.api_keys import lifecycle
from accounts.models import ServiceUser
from tests.api.calls import Wire, ask_public

pytestmark = pytest.mark.django_db

FAR = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.01", "price": "10000"}


def price() -> float:
    (row,) = ask_public("Ticker", pair="XBTUSD")["result"].values()
    return float(row["a"][0])


def buy_at_market(wire: Wire, **more: object) -> str:
    fields = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.001", **more}
    (txid,) = wire.result("AddOrder", **fields)["txid"]
    return str(txid)


def test_a_limit_order_rests_is_seen_and_is_cancelled(trading):
    placed = trading.result("AddOrder", **FAR)
    assert placed["descr"] == {"order": "buy 0.01000000 XBTUSD @ limit 10000.0"}
    (txid,) = placed["txid"]
    row = trading.result("OpenOrders")["open"][txid]
    assert list(row) == [
        "refid", "userref", "cl_ord_id", "status", "opentm", "starttm", "expiretm", "descr", "vol", "vol_exec", "cost",
        "fee", "price", "stopprice", "limitprice", "misc", "oflags",
    ]  # fmt: skip
    assert (row["status"], row["vol"], row["vol_exec"]) == ("open", "0.01000000", "0.00000000")
    assert row["descr"]["price"] == "10000.0"
    assert trading.result("QueryOrders", txid=txid)[txid] == row
    held = trading.result("BalanceEx")["ZUSD"]["hold_trade"]
    assert float(held) == pytest.approx(100.25)
    assert trading.result("CancelOrder", txid=txid) == {"count": 1}
    assert trading.error("CancelOrder", txid=txid) == "EOrder:Unknown order"
    closed = trading.result("ClosedOrders")["closed"][txid]
    assert (closed["status"], closed["closetm"] >= closed["opentm"]) == ("canceled", True)
    assert trading.result("BalanceEx")["ZUSD"]["hold_trade"] == "0.0000"


def test_a_market_order_fills_at_once_and_leaves_a_trade_and_entries(trading):
    txid = buy_at_market(trading)
    closed = trading.result("ClosedOrders", trades="True")
    assert closed["count"] == 1
    order = closed["closed"][txid]
    assert (order["status"], order["vol_exec"], order["descr"]["ordertype"]) == ("closed", "0.00100000", "market")
    history = trading.result("TradesHistory", ledgers="True")
    trade = history["trades"][order["trades"][0]]
    assert history["count"] == len(order["trades"])
    assert (trade["ordertxid"], trade["pair"], trade["maker"]) == (txid, "XXBTZUSD", False)
    assert trading.result("QueryTrades", txid=order["trades"][0])[order["trades"][0]] == trade
    entries = trading.result("QueryLedgers", id=",".join(trade["ledgers"]))
    assert {entry["type"] for entry in entries.values()} == {"trade"}
    assert float(trading.result("Balance")["XXBT"]) == pytest.approx(12.401)


def test_validate_places_nothing(trading):
    answer = trading.result("AddOrder", **FAR, validate="True")
    assert answer == {"descr": {"order": "buy 0.01000000 XBTUSD @ limit 10000.0"}}
    assert trading.error("AddOrder", **{**FAR, "volume": "0.00000001"}, validate="true") == (
        "EOrder:Order minimum not met"
    )
    assert trading.result("OpenOrders") == {"open": {}}


def test_what_clients_send_without_being_asked_changes_nothing(trading):
    """Reference §14: the defaults of python-kraken-sdk, with its booleans."""
    defaults = {"stptype": "cancel-newest", "starttm": "0", "validate": "False", "reduce_only": "False"}
    assert trading.result("AddOrder", **FAR, **defaults, expiretm="0", leverage="none", price2="None")["txid"]


def test_userref_and_cl_ord_id_name_orders(trading):
    for _ in range(2):
        trading.result("AddOrder", **FAR, userref="-7")
    trading.result("AddOrder", **FAR, cl_ord_id="my-order")
    assert len(trading.result("OpenOrders", userref="-7")["open"]) == 2
    (row,) = trading.result("OpenOrders", cl_ord_id="my-order")["open"].values()
    assert row["cl_ord_id"] == "my-order"
    assert trading.result("CancelOrder", txid="-7") == {"count": 2}
    assert trading.result("CancelOrder", cl_ord_id="my-order") == {"count": 1}
    assert trading.error("CancelOrder", cl_ord_id="my-order") == "EOrder:Unknown order"
    for wrong in ({}, {"txid": "-7", "cl_ord_id": "my-order"}):
        assert trading.error("CancelOrder", **wrong) == "EGeneral:Invalid arguments"


def test_json_bodies_with_numbers(trading):
    """Reference §7: JSON numbers, exponents and booleans."""
    fields = {**FAR, "price": 10000.0, "volume": 1e-2, "userref": 5, "validate": False}
    answer = trading.ask_json("AddOrder", fields)
    assert answer["result"]["descr"]["order"] == "buy 0.01000000 XBTUSD @ limit 10000.0"
    assert trading.ask_json("CancelAll", {})["result"] == {"count": 1}


def test_orders_that_end_by_themselves(trading):
    (txid,) = trading.result("AddOrder", **FAR, expiretm="+60")["txid"]
    row = trading.result("OpenOrders")["open"][txid]
    assert row["expiretm"] == pytest.approx(timezone.now().timestamp() + 60, abs=10)
    (txid,) = trading.result("AddOrder", **FAR, timeinforce="IOC")["txid"]
    assert trading.result("QueryOrders", txid=txid)[txid]["status"] == "canceled"
    at_once = {**FAR, "price": f"{price() * 1.01:.1f}", "oflags": "post"}
    (txid,) = trading.result("AddOrder", **at_once)["txid"]
    row = trading.result("QueryOrders", txid=txid)[txid]
    assert (row["status"], row["oflags"], row["vol_exec"]) == ("canceled", "fciq,post", "0.00000000")


def test_a_deadline_that_has_passed(trading):
    past = (timezone.now() - timedelta(seconds=1)).isoformat()
    assert trading.error("AddOrder", **FAR, deadline=past) == "EService:Deadline elapsed"
    soon = (timezone.now() + timedelta(seconds=30)).isoformat().replace("+00:00", "Z")
    assert trading.result("AddOrder", **FAR, deadline=soon)["txid"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"pair": "XBTXYZ"}, "EQuery:Unknown asset pair"),
        ({"volume": "0.000001"}, "EOrder:Order minimum not met"),
        ({"volume": "100"}, "EOrder:Insufficient funds"),
        ({"volume": "x"}, "EGeneral:Invalid arguments"),
        ({"volume": "-1"}, "EGeneral:Invalid arguments"),
        ({"volume": ""}, "EGeneral:Invalid arguments"),
        ({"price": "10000.05"}, "EOrder:Tick size check failed"),
        ({"price": "0"}, "EOrder:Invalid price"),
        ({"price": "-5"}, "EGeneral:Invalid arguments"),
        ({"price": ""}, "EOrder:Invalid price"),
        ({"type": "hold"}, "EGeneral:Invalid arguments"),
        ({"ordertype": "magic"}, "EGeneral:Invalid arguments"),
        ({"userref": "2147483648"}, "EGeneral:Invalid arguments"),
        ({"cl_ord_id": "x" * 19}, "EGeneral:Invalid arguments"),
        ({"userref": "1", "cl_ord_id": "a"}, "EGeneral:Invalid arguments"),
        ({"timeinforce": "GTD"}, "EGeneral:Invalid arguments"),
        ({"oflags": "post,unknown"}, "EGeneral:Invalid arguments"),
        ({"ordertype": "stop-loss"}, "EGeneral:Invalid arguments"),
        ({"timeinforce": "FOK"}, "EGeneral:Invalid arguments"),
        ({"leverage": "2:1"}, "EGeneral:Invalid arguments"),
        ({"reduce_only": "true"}, "EGeneral:Invalid arguments"),
        ({"starttm": "+10"}, "EGeneral:Invalid arguments"),
        ({"price": "+1%"}, "EGeneral:Invalid arguments"),
        ({"oflags": "viqc"}, "EGeneral:Invalid arguments"),
        ({"close[ordertype]": "limit", "close[price]": "1"}, "EGeneral:Invalid arguments"),
        ({"trigger": "last"}, "EGeneral:Invalid arguments"),
        ({"displayvol": "0.001"}, "EGeneral:Invalid arguments"),
    ],
)
def test_what_is_refused_places_and_holds_nothing(trading, change, error):
    """Reference §4: each refusal its own string; what is not offered is refused for good (fault bots-A13)."""
    before = trading.result("BalanceEx")
    assert trading.error("AddOrder", **{**FAR, **change}) == error
    assert trading.result("OpenOrders") == {"open": {}}
    assert trading.result("BalanceEx") == before


def test_a_key_sees_orders_by_their_state(trading):
    """Reference §6: QueryOrders opens open orders and closed ones by a permission each."""
    (resting,) = trading.result("AddOrder", **FAR)["txid"]
    filled = buy_at_market(trading)
    both = f"{resting},{filled}"
    for permission, seen in (("query-open-trades", {resting}), ("query-closed-trades", {filled})):
        ServiceUser.objects.filter(pk=trading.bot.service_user.pk).update(permissions=[permission])
        lifecycle.touch(trading.bot.service_user)
        assert trading.result("QueryOrders", txid=both).keys() == seen


def test_the_orders_of_another_account_do_not_exist(trading, world):
    """AZ-2: foreign ids answer as unknown ones."""
    eve = Wire(world.bot("eve-bot"))
    (txid,) = trading.result("AddOrder", **FAR)["txid"]
    filled = buy_at_market(trading)
    (trade,) = trading.result("TradesHistory")["trades"]
    assert eve.error("CancelOrder", txid=txid) == eve.error("CancelOrder", txid="OAAAAA-AAAAA-AAAAAA")
    assert eve.result("QueryOrders", txid=f"{txid},{filled}") == {}
    assert eve.result("QueryTrades", txid=trade) == {}
    assert eve.error("ClosedOrders", start=filled) == "EGeneral:Invalid arguments"
    assert eve.error("TradesHistory", start=trade) == "EGeneral:Invalid arguments"
    assert eve.result("CancelAll") == {"count": 0}
    assert txid in trading.result("OpenOrders")["open"]


def test_there_are_no_positions(trading):
    assert trading.result("OpenPositions") == {}
    assert trading.result("OpenPositions", consolidation="market", docalcs="true") == []
    buy_at_market(trading)
    assert trading.result("TradesHistory", type="closed position") == {"trades": {}, "count": 0}
    assert trading.result("TradesHistory", type="no position")["count"] == 1


def test_histories_come_in_pages(trading):
    ids = [buy_at_market(trading) for _ in range(3)]
    page = trading.result("ClosedOrders", ofs="1")
    assert list(page["closed"]) == ids[1::-1]
    assert page["count"] == 3
    assert "count" not in trading.result("ClosedOrders", without_count="true")
    assert "count" not in trading.result("TradesHistory", without_count="true")
    assert list(trading.result("ClosedOrders", start=ids[0])["closed"]) == [ids[2], ids[1]]
    assert list(trading.result("ClosedOrders", end=ids[1])["closed"]) == [ids[1], ids[0]]
    assert trading.error("QueryOrders", txid=",".join(["OAAAAA-AAAAA-AAAAAA"] * 51)) == "EGeneral:Invalid arguments"
    assert trading.error("QueryTrades", txid=",".join(["TAAAAA-AAAAA-AAAAAA"] * 21)) == "EGeneral:Invalid arguments"


def test_what_trading_costs(trading):
    before = trading.result("TradeVolume")
    assert (before["currency"], before["volume"], "fees" in before) == ("ZUSD", "0.0000", False)
    buy_at_market(trading)
    after = trading.result("TradeVolume", pair="BTC/USD")
    assert float(after["volume"]) > 0
    assert after["fees"]["XXBTZUSD"]["fee"] == "0.4000"
    assert after["fees_maker"]["XXBTZUSD"]["fee"] == "0.2500"
    asked = trading.ask_json("TradeVolume", {"pair": [{"asset": "XBTUSD", "aclass": "currency"}]})
    assert asked["result"]["fees"].keys() == {"XXBTZUSD"}


def test_what_everything_is_worth(trading):
    worth = trading.result("TradeBalance")
    assert worth["eb"] == worth["e"] == worth["mf"]
    assert float(worth["eb"]) > 480_000
    assert "ml" not in worth
    assert float(trading.result("TradeBalance", asset="XBT")["eb"]) < float(worth["eb"])
    assert trading.error("TradeBalance", asset="XYZ") == "EQuery:Unknown asset"


class TestARepeatedCall:
    """AP-14: a repeated signed request dies on its nonce, a repeated `cl_ord_id` on its uniqueness."""

    def test_a_signed_request_places_one_order(self, trading):
        nonce = "1700000000000"
        assert trading.ask("AddOrder", nonce=nonce, **FAR)["error"] == []
        assert trading.ask("AddOrder", nonce=nonce, **FAR)["error"] == ["EAPI:Invalid nonce"]
        assert len(trading.result("OpenOrders")["open"]) == 1

    def test_a_cl_ord_id_is_open_once(self, trading):
        trading.result("AddOrder", **FAR, cl_ord_id="once")
        assert trading.error("AddOrder", **FAR, cl_ord_id="once") == "EGeneral:Invalid arguments"
        assert len(trading.result("OpenOrders")["open"]) == 1

    def test_a_signed_request_withdraws_once(self, treasury):
        nonce = "1700000000000"
        fields = {"asset": "XBT", "key": "btc-cold", "amount": "0.1"}
        assert treasury.ask("Withdraw", nonce=nonce, **fields)["error"] == []
        assert treasury.ask("Withdraw", nonce=nonce, **fields)["error"] == ["EAPI:Invalid nonce"]
        assert len(treasury.result("WithdrawStatus")) == 1
        assert treasury.result("Balance")["XXBT"] == "12.3000000000"
