"""What released bots and typed clients were seen to send, replayed: each call as its program writes it."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from accounts.api_keys import usage
from accounts.api_keys.refused_calls import explain
from accounts.models import RefusedCall
from portal.venues.paper import catalogue, funding
from tests.api.calls import ask_public
from tests.api.handlers.test_trading import FAR

pytestmark = pytest.mark.django_db

INVALID = "EGeneral:Invalid arguments"


class TestWhatAGridBotAsksAtItsStart:
    """A grid bot looks whether its key may trade before anything else, whoever runs it and whatever they own."""

    def test_validating_asks_for_no_money(self, trading):
        """fault bots-A1: what is written is looked at, not what the Account has."""
        probe = {"ordertype": "market", "type": "buy", "volume": "10", "pair": "BTC/USD", "validate": "True"}
        assert trading.result("AddOrder", **probe) == {"descr": {"order": "buy 10.00000000 XBTUSD @ market"}}
        for much in ({"volume": "1000"}, {"volume": "1000", "type": "sell"}):
            assert trading.result("AddOrder", **{**FAR, **much}, validate="true").keys() == {"descr"}
        assert trading.error("AddOrder", **{**probe, "validate": "False", "volume": "1000"}) == (
            "EOrder:Insufficient funds"
        )
        assert trading.result("OpenOrders") == {"open": {}}

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"volume": "0.00000001"}, "EOrder:Order minimum not met"),
            ({"volume": "0.00005", "price": "0.1"}, "EOrder:Cost minimum not met"),
            ({"price": "10000.05"}, "EOrder:Tick size check failed"),
            ({"pair": "XBTXYZ"}, "EQuery:Unknown asset pair"),
        ],
    )
    def test_validating_still_looks_at_what_is_written(self, trading, change, error):
        """fault bots-A1"""
        assert trading.error("AddOrder", **{**FAR, **change}, validate="true") == error

    @pytest.mark.parametrize("name", ["BTCUSD", "btcusd", "BTC/USD", "XBTUSD", "XBT/USD", "XXBTZUSD"])
    def test_a_pair_under_every_name_that_bots_write(self, trading, name):
        """fault bots-A2: answered under the canonical id, whatever was asked."""
        for method in ("Ticker", "Depth", "Trades", "Spread"):
            assert "XXBTZUSD" in ask_public(method, pair=name)["result"]
        assert ask_public("AssetPairs", pair=name)["result"].keys() == {"BTC/USD" if name == "BTC/USD" else "XXBTZUSD"}
        assert trading.result("AddOrder", **{**FAR, "pair": name}, validate="true")
        assert trading.result("TradeVolume", pair=name)["fees"].keys() == {"XXBTZUSD"}

    def test_every_pair_is_found_by_its_codes_without_a_slash(self):
        """fault bots-A2"""
        for pair in catalogue.PAIRS:
            assert list(ask_public("Ticker", pair=pair.base.code + pair.quote.code)["result"]) == [pair.id]

    @pytest.mark.parametrize(
        "sent",
        [
            {"cl_ord_id": "kraken_infinity_grid_internal"},
            {"cl_ord_id": "kraken_infinity_grid_internal", "txid": ""},
            {"cl_ord_id": "with a space"},
            {"txid": "x"},
            {"txid": "99999999999"},
            {"txid": "9999999999"},
            {"txid": "OAAAAA-AAAAA-AAAAA"},
        ],
    )
    def test_cancelling_what_no_order_can_be_called(self, trading, sent):
        """fault bots-A3: the one string that the bot expects there; a name that could be is an unknown order."""
        assert trading.error("CancelOrder", **sent) == "EOrder:Invalid order"
        for could_be in ({"cl_ord_id": "18-characters-long"}, {"txid": "OAAAAA-AAAAA-AAAAAA"}, {"txid": "5"}):
            assert trading.error("CancelOrder", **could_be) == "EOrder:Unknown order"


class TestClassesOfAssets:
    """fault bots-A4: a class is a filter. One client took every pair for a tokenized one, because it went unheard."""

    def test_there_is_nothing_tokenized(self, treasury):
        """fault bots-A4"""
        assert ask_public("AssetPairs", aclass_base="tokenized_asset") == {"error": [], "result": {}}
        assert ask_public("Assets", aclass="tokenized_asset") == {"error": [], "result": {}}
        assert ask_public("Ticker", asset_class="tokenized_asset") == {"error": [], "result": {}}
        for method in ("DepositStatus", "WithdrawStatus", "WithdrawMethods", "WithdrawAddresses"):
            assert treasury.result(method, aclass="tokenized_asset") == []
        assert treasury.result("Ledgers", aclass="tokenized_asset") == {"ledger": {}, "count": 0}
        assert treasury.result("Ledgers", aclass="tokenized_asset", without_count="true") == {"ledger": {}}
        assert treasury.result("DepositStatus", aclass="tokenized_asset", cursor="true")["deposits"] == []
        assert ask_public("AssetPairs", execution_venue="elsewhere") == {"error": [], "result": {}}
        assert len(ask_public("AssetPairs", execution_venue="international", aclass_base="currency")["result"]) == 14

    def test_what_is_named_is_not_there_in_another_class(self, treasury):
        """fault bots-A4"""
        named = {"pair": "XBTUSD", "asset_class": "tokenized_asset"}
        for method in ("Ticker", "Depth", "Trades", "Spread"):
            assert ask_public(method, **named) == {"error": ["EQuery:Unknown asset pair"]}
            assert ask_public(method, pair="XBTUSD", asset_class="forex")["error"] == []
        assert ask_public("AssetPairs", pair="XBTUSD", aclass_base="tokenized_asset")["error"]
        assert ask_public("Assets", asset="XBT", aclass="tokenized_asset") == {"error": ["EQuery:Unknown asset"]}
        assert treasury.error("AddOrder", **FAR, asset_class="tokenized_asset") == "EQuery:Unknown asset pair"
        assert treasury.error("Ledgers", asset="XBT", aclass="tokenized_asset") == "EQuery:Unknown asset"
        pairs = [{"asset": "XBTUSD", "aclass": "tokenized_asset"}]
        assert treasury.ask_json("TradeVolume", {"pair": pairs}) == {"error": ["EQuery:Unknown asset pair"]}
        asked = {"asset": "XBT", "aclass": "tokenized_asset"}
        for method, more in (
            ("DepositMethods", {}),
            ("DepositAddresses", {"method": "Bitcoin"}),
            ("DepositStatus", {}),
            ("WithdrawMethods", {}),
            ("WithdrawAddresses", {}),
            ("WithdrawStatus", {}),
            ("Withdraw", {"key": "btc-cold", "amount": "0.1"}),
            ("WithdrawCancel", {"refid": "AAAAAAA-AAAAAA-AAAAAA"}),
        ):
            assert treasury.error(method, **asked, **more) == "EFunding:Unknown asset"
        assert treasury.error("AddOrder", **FAR, asset_class="spaceship") == INVALID


class TestWhatTypedClientsInsistOn:
    """Classes made from the exchange's own description: a field less, and they take no answer."""

    def test_a_volume_says_what_it_is_reckoned_from(self, trading):
        """fault bots-A5"""
        answer = trading.result("TradeVolume", pair="XBTUSD")
        assert answer["inputs"].keys() == {
            "domain_spot_volume_30d", "domain_futures_volume_30d", "domain_assets_on_platform",
        }  # fmt: skip
        assert answer["inputs"]["domain_spot_volume_30d"] == answer["volume"]
        assert answer["inputs"]["domain_assets_on_platform"] == trading.result("TradeBalance")["eb"]

    def test_ways_in_and_out_say_what_they_cost(self, treasury):
        """fault bots-A6"""
        (way,) = treasury.result("DepositMethods", asset="XBT")
        assert way["fee"] == "0.0000000000"
        for method in treasury.result("WithdrawMethods"):
            assert method["fee"]["asset"] == method["asset"]
            assert float(method["fee"]["fee"]) < float(method["minimum"])
            assert method["fee"]["aclass"] == "currency"

    def test_pages_of_deposits_are_wrapped_in_the_plural(self, treasury):
        """fault bots-A7: as the exchange answers, whatever its description once said."""
        assert treasury.result("DepositStatus", cursor="true").keys() == {"deposits", "next_cursor"}


def test_the_first_and_last_instant_of_deposits_and_withdrawals_count(treasury, account):
    """fault bots-start: reference §17; rows show whole seconds, so a whole second that ends a list counts whole."""
    at = datetime(2026, 11, 20, 12, 0, 0, 500_000, tzinfo=UTC)
    with time_machine.travel(at, tick=False):
        funding.deposit(account.pk, "BTC", Decimal(1), reference="in-1")
        treasury.result("Withdraw", asset="XBT", key="btc-cold", amount="0.1")
    for method in ("DepositStatus", "WithdrawStatus"):
        rows = [row["time"] for row in treasury.result(method, asset="XBT")]
        second = int(at.timestamp())
        assert rows.count(second) == 1
        for bounds, seen in (
            ({"start": second}, 1),
            ({"start": at.timestamp()}, 1),
            ({"start": second + 1}, 0),
            ({"end": second}, 1),
            ({"end": at.timestamp()}, 1),
            ({"end": second - 1}, 0),
            ({"end": second + 0.4}, 0),
        ):
            found = [row["time"] for row in treasury.result(method, asset="XBT", **bounds)]
            assert found.count(second) == seen, (method, bounds)


class TestOptionsThatAreNotOffered:
    """No string that means *later*: bots asked again for ever. The people behind the bot read which option it was."""

    @pytest.mark.parametrize(
        ("option", "named"),
        [
            ({"ordertype": "stop-loss"}, "ordertype=stop-loss"),
            ({"timeinforce": "FOK"}, "timeinforce=FOK"),
            ({"timeInForce": "FOK"}, "timeinforce=FOK"),
            ({"leverage": "2:1"}, "leverage"),
            ({"reduce_only": "true"}, "reduce_only"),
            ({"starttm": "+10"}, "starttm"),
            ({"oflags": "post,viqc"}, "oflags=viqc"),
            ({"price2": "5"}, "price2"),
            ({"displayvol": "0.01"}, "displayvol"),
            ({"trigger": "last"}, "trigger"),
            ({"close[ordertype]": "limit"}, "close[ordertype]"),
            ({"close[price]": "1"}, "close[price]"),
            ({"price": "+1%"}, "price (relative)"),
        ],
    )
    def test_each_is_named_where_people_read_it(self, trading, option, named):
        """fault bots-A11 and bots-A13"""
        assert trading.error("AddOrder", **{**FAR, **option}) == INVALID
        usage.flush()
        call = RefusedCall.objects.get()
        assert (call.reason, call.facts) == ("option", {"field": named})
        assert f"The option “{named}” is not offered" in explain(call).what
        assert trading.result("OpenOrders") == {"open": {}}

    def test_a_close_order_in_json(self, trading):
        """fault bots-A11"""
        assert trading.ask_json("AddOrder", {**FAR, "close": {"ordertype": "limit", "price": "1"}})["error"] == [
            INVALID
        ]
        assert trading.ask_json("AddOrder", {**FAR, "close": {}, "oflags": [], "validate": True})["error"] == []

    def test_methods_that_are_not_served_are_unknown_for_good(self, trading):
        """fault bots-A13"""
        for method in ("EditOrder", "AddOrderBatch"):
            assert trading.error(method) == "EGeneral:Unknown method"
        assert ask_public("OHLC", pair="XBTUSD") == {"error": ["EGeneral:Unknown method"]}
        usage.flush()
        assert {call.reason for call in RefusedCall.objects.all()} == {"not_served"}

    def test_different_faults_of_one_minute_stay_apart(self, trading):
        """fault bots-A12: three things wrong were one row that said three times the last of them."""
        for wrong in ({"type": "BUY"}, {"ordertype": "LIMIT"}, {"type": "BUY"}, {"volume": "x"}):
            trading.error("AddOrder", **{**FAR, **wrong})
        for volume in ("100", "1000"):
            trading.error("AddOrder", **{**FAR, "pair": "XBTUSD", "volume": volume})
        trading.error("AddOrder", **{**FAR, "volume": "0.00001"})
        usage.flush()
        rows = {(call.facts.get("field") or call.facts["said"]): call.times for call in RefusedCall.objects.all()}
        assert (rows["type"], rows["ordertype"], rows["volume"]) == (2, 1, 1)
        assert len(rows) == 5


class TestSpellings:
    """fault bots-A14: what could mean one thing only is taken; what would vanish unheard is refused."""

    @pytest.mark.parametrize(
        "nothing",
        [
            {"starttm": "+0"}, {"expiretm": "+0"}, {"displayvol": "0"}, {"displayvol": "0.000"}, {"price2": "0.0"},
            {"leverage": "1"}, {"leverage": "none"}, {"timeinforce": "GTC"}, {"timeInForce": "GTC"},
        ],
    )  # fmt: skip
    def test_what_says_nothing_changes_nothing(self, trading, nothing):
        """fault bots-A14"""
        (txid,) = trading.result("AddOrder", **FAR, **nothing)["txid"]
        assert trading.result("OpenOrders")["open"][txid]["expiretm"] == 0

    def test_numbers_that_begin_or_end_with_their_point(self, trading):
        """fault bots-A14"""
        answer = trading.result("AddOrder", **{**FAR, "volume": ".02", "price": "10000."}, validate="true")
        assert answer["descr"]["order"] == "buy 0.02000000 XBTUSD @ limit 10000.0"
        assert trading.error("AddOrder", **{**FAR, "volume": "."}) == INVALID

    def test_a_time_in_force_in_camels_is_heard(self, trading):
        """fault bots-A14: it was placed good till cancelled."""
        (txid,) = trading.result("AddOrder", **FAR, timeInForce="IOC")["txid"]
        assert trading.result("QueryOrders", txid=txid)[txid]["status"] == "canceled"
        assert trading.error("AddOrder", **FAR, timeInForce="IOC", timeinforce="GTC") == INVALID

    def test_an_end_counts_whoever_says_good_till_cancelled(self, trading):
        """fault bots-A14: one client says GTC with every order."""
        (txid,) = trading.result("AddOrder", **FAR, timeinforce="GTC", expiretm="+30")["txid"]
        assert trading.result("OpenOrders")["open"][txid]["expiretm"] > 0
        assert trading.error("AddOrder", **FAR, timeinforce="IOC", expiretm="+30") == INVALID

    def test_filters_in_brackets_filter(self, treasury):
        """fault bots-A14: all rows came back."""
        for name in ("asset", "asset[]", "asset[0]"):
            rows = treasury.result("Ledgers", **{name: "XBT"})["ledger"].values()
            assert {row["asset"] for row in rows} == {"XXBT"}
        assert ask_public("Ticker", **{"pair[]": "XBTUSD"})["result"].keys() == {"XXBTZUSD"}
        rows = treasury.result("Earn/Strategies", **{"lock_type[]": "bonded"})["items"]
        assert {row["lock_type"]["type"] for row in rows} == {"bonded"}

    @pytest.mark.parametrize(
        ("method", "sent"),
        [
            ("AddOrder", {**FAR, "Validate": "true"}),
            ("AddOrder", {**FAR, "clOrdId": "mine"}),
            ("AddOrder", {**FAR, "reduceOnly": "true"}),
            ("AddOrder", {**FAR, "expireTm": "+30"}),
            ("Ledgers", {"type[]": "deposit"}),
            ("Ledgers", {"type[0]": "deposit"}),
            ("Ledgers", {"Asset": "XBT"}),
            ("ClosedOrders", {"closeTime": "open"}),
            ("WithdrawStatus", {"asset[0]": "XBT", "Start": "1"}),
            ("Withdraw", {"asset": "XBT", "key": "btc-cold", "amount": "0.1", "maxFee": "0"}),
        ],
    )
    def test_nearly_the_name_of_a_parameter_is_not_ignored(self, treasury, method, sent):
        """fault bots-A14: an order placed, or rows shown, without what was asked."""
        assert treasury.error(method, **sent) == INVALID
        assert treasury.result("OpenOrders") == {"open": {}}

    def test_what_clients_add_on_their_own_is_still_ignored(self, treasury):
        """Reference §7: unknown fields."""
        more = {"fee-info": "true", "rebase_multiplier": "base", "consolidate_taker": "true", "broker": "None"}
        assert treasury.result("OpenOrders", start="5", **more) == {"open": {}}
        assert treasury.result("AddOrder", **FAR, **more, validate="true")

    @pytest.mark.parametrize("kind", ["earn", "reward", "spend", "receive", "none", "conversion", "nfttrade",
                                      "nftcreatorfee", "nftrebate", "custodytransfer"])  # fmt: skip
    def test_kinds_of_entries_that_the_protocol_knows(self, treasury, kind):
        """fault bots-A14"""
        assert treasury.result("Ledgers", type=kind) == {"ledger": {}, "count": 0}

    def test_the_newer_names(self):
        """fault bots-A14: the keys were the old ones all the same."""
        new = {"assetVersion": "1"}
        assert {"BTC", "USD", "USDC"} <= ask_public("Assets", **new)["result"].keys()
        row = ask_public("AssetPairs", pair="XBTUSD", **new)["result"]["BTC/USD"]
        assert (row["base"], row["quote"], row["altname"]) == ("BTC", "USD", "XBTUSD")
        for method in ("Ticker", "Depth", "Trades", "Spread"):
            assert "BTC/USD" in ask_public(method, pair="XBTUSD", **new)["result"]
            assert "XXBTZUSD" in ask_public(method, pair="XBTUSD", assetVersion="0")["result"]


def test_the_average_price_of_an_order_is_one_that_was_paid(trading):
    """fault bots-A9: cost divided by volume showed a price at which nothing ever traded, the more so the smaller."""
    for side in ("buy", "sell"):
        small = {"pair": "XBTUSD", "type": side, "ordertype": "market", "volume": "0.00007"}
        (txid,) = trading.result("AddOrder", **small)["txid"]
        order = trading.result("QueryOrders", txid=txid, trades="true")[txid]
        (trade,) = trading.result("QueryTrades", txid=order["trades"][0]).values()
        assert order["price"] == trade["price"]
        assert trading.result("ClosedOrders")["closed"][txid]["price"] == trade["price"]


def test_public_trades_are_told_from_the_beginning_on():
    """fault bots-A8: whoever paged forward got the last hours alone, and no warning."""
    rows = ask_public("Trades", pair="XBTUSD", since="0")["result"]
    first = datetime.fromtimestamp(rows["XXBTZUSD"][0][2], UTC)
    assert (first.year, first.month, first.day, len(rows["XXBTZUSD"])) == (2024, 1, 1, 1000)
    more = ask_public("Trades", pair="XBTUSD", since=rows["last"])["result"]["XXBTZUSD"]
    assert more[0][6] == rows["XXBTZUSD"][-1][6] + 1
    day_ago = timezone.now().timestamp() - 86_400
    page = ask_public("Trades", pair="XBTUSD", since=f"{day_ago:.0f}")["result"]["XXBTZUSD"]
    assert 0 < page[0][2] - day_ago <= 17


def test_the_only_way_in_under_the_code_of_its_asset(treasury):
    """fault bots-A14: one client has USDC built in for the method."""
    (method,) = treasury.result("DepositMethods", asset="USDC")
    named = treasury.result("DepositAddresses", asset="USDC", method=method["method"])
    assert treasury.result("DepositAddresses", asset="USDC", method="USDC") == named
    assert treasury.error("DepositAddresses", asset="XBT", method="USDC") == "EFunding:No funding method"
