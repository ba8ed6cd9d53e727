"""What released bots and typed clients were seen to send, replayed: each call as its program writes it."""

import pytest

from portal.venues.paper import catalogue
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
