"""What released bots and typed clients were seen to send, replayed: each call as its program writes it."""

import pytest

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
