"""What released bots and typed clients were seen to send, replayed: each call as its program writes it."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine

from portal.venues.paper import catalogue, funding
from tests.api.calls import ask_public
from tests.api.test_trading import FAR

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
        for method in ("AssetPairs", "Ticker", "Depth", "Trades", "Spread"):
            assert "XXBTZUSD" in ask_public(method, pair=name)["result"]
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
