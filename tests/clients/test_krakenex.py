"""krakenex as released, told nothing but the address."""

from functools import partial

import krakenex
import pytest

from tests.clients.conftest import every_method
from tests.running import soon, unzipped

pytestmark = pytest.mark.slow


@pytest.fixture
def api(portal) -> "krakenex.API":
    api = krakenex.API(*portal.keys["treasury-bot"])
    api.uri = portal.url
    return api


def ask(api, method: str, /, **fields: object):
    answer = api.query_private(method, fields)
    assert answer["error"] == [], answer
    return answer["result"]


def test_everything_a_bot_needs_to_withdraw(api):
    for method in ("Time", "SystemStatus", "Assets", "AssetPairs"):
        assert api.query_public(method)["error"] == []
    assert ask(api, "GetApiKeyInfo")["apiKeyName"] == "treasury-bot"
    before = ask(api, "Balance")
    assert ask(api, "BalanceEx").keys() == before.keys()
    assert ask(api, "Ledgers", asset="XBT")["count"] >= 1
    assert ask(api, "WithdrawMethods", asset="XBT")[0]["method"] == "Bitcoin"
    assert [row["key"] for row in ask(api, "WithdrawAddresses", asset="XBT")] == ["btc-cold"]
    assert ask(api, "WithdrawInfo", asset="XBT", key="btc-cold", amount="0.1")["method"] == "Bitcoin"
    refid = ask(api, "Withdraw", asset="XBT", key="btc-cold", amount="0.1")["refid"]
    (row,) = [row for row in ask(api, "WithdrawStatus", asset="XBT") if row["refid"] == refid]
    assert (row["status"], row["status-prop"]) == ("Initial", "onhold")
    assert ask(api, "Balance")["XXBT"] != before["XXBT"]
    assert ask(api, "WithdrawCancel", asset="XBT", refid=refid) is True
    assert ask(api, "Balance") == before


class Recording:
    """The client, and which methods it has called."""

    def __init__(self, api) -> None:
        self.api = api
        self.called: set[str] = set()

    def public(self, method: str, /, **fields: object):
        answer = self.api.query_public(method, fields)
        assert answer["error"] == [], answer
        self.called.add(method)
        return answer["result"]

    def private(self, method: str, /, **fields: object):
        self.called.add(method)
        return ask(self.api, method, **fields)


def test_every_method_there_is(api, portal):
    bot = Recording(api)
    the_market(bot)
    orders_and_trades(bot)
    exports(bot)
    funds(bot)
    a_token_for_a_socket(bot, portal)
    earn(bot)
    assert bot.called == every_method()


def the_market(bot: Recording) -> None:
    for method in ("Time", "SystemStatus", "Assets", "AssetPairs", "Ticker"):
        bot.public(method)
    for method in ("Depth", "Trades", "Spread"):
        assert "XXBTZUSD" in bot.public(method, pair="XBTUSD")


def orders_and_trades(bot: Recording) -> None:
    limit = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.01", "price": "10000"}
    (resting,) = bot.private("AddOrder", **limit, userref=11)["txid"]
    assert resting in bot.private("OpenOrders")["open"]
    assert bot.private("CancelOrder", txid=resting) == {"count": 1}
    (filled,) = bot.private("AddOrder", pair="XBTUSD", type="sell", ordertype="market", volume=0.01)["txid"]
    assert {filled, resting} <= bot.private("ClosedOrders")["closed"].keys()
    assert bot.private("QueryOrders", txid=f"{filled},{resting}").keys() == {filled, resting}
    trades = bot.private("TradesHistory", ledgers=True)["trades"]
    trade = next(iter(trades))
    assert bot.private("QueryTrades", txid=trade)[trade]["pair"] == "XXBTZUSD"
    entry = next(iter(bot.private("Ledgers")["ledger"]))
    assert entry in bot.private("QueryLedgers", id=entry)
    bot.private("AddOrder", **limit, cl_ord_id="mine")
    assert bot.private("CancelAll") == {"count": 1}
    assert bot.private("OpenPositions") == {}
    assert float(bot.private("TradeVolume", pair="XBTUSD")["volume"]) > 0
    assert float(bot.private("TradeBalance")["eb"]) > 0


def exports(bot: Recording) -> None:
    export_id = bot.private("AddExport", report="ledgers", description="mine")["id"]
    soon(
        lambda: bot.private("ExportStatus", report="ledgers"),
        lambda rows: next(row for row in rows if row["id"] == export_id)["status"] == "Processed",
    )
    with pytest.raises(ValueError, match=r"."):
        bot.private("RetrieveExport", id=export_id)
    assert unzipped(bot.api.response.content).startswith('"txid","refid","time"')
    assert bot.private("RemoveExport", id=export_id, type="delete") == {"delete": True}


def funds(bot: Recording) -> None:
    bot.private("GetApiKeyInfo")
    bot.private("Balance")
    bot.private("BalanceEx")
    method = bot.private("DepositMethods", asset="XBT")[0]["method"]
    assert bot.private("DepositAddresses", asset="XBT", method=method)[0]["address"]
    bot.private("DepositStatus", asset="XBT")
    bot.private("WithdrawMethods")
    assert bot.private("WithdrawAddresses")
    address = {"asset": "XBT", "key": "btc-cold", "amount": "0.01"}
    bot.private("WithdrawInfo", **address)
    refid = bot.private("Withdraw", **address)["refid"]
    assert refid in [row["refid"] for row in bot.private("WithdrawStatus")]
    assert bot.private("WithdrawCancel", asset="XBT", refid=refid) is True


def a_token_for_a_socket(bot: Recording, portal) -> None:
    if portal.is_gateway:
        bot.called.add("GetWebSocketsToken")
        assert bot.api.query_private("GetWebSocketsToken")["error"] == ["EGeneral:Unknown method"]
    else:
        assert bot.private("GetWebSocketsToken")["expires"] == 900


def earn(bot: Recording) -> None:
    (strategy, *_) = bot.private("Earn/Strategies", asset="USD", lock_type="instant")["items"]
    move = {"strategy_id": strategy["id"], "amount": "100"}
    for method in ("Earn/Allocate", "Earn/Deallocate"):
        assert bot.private(method, **move) is True
        ask_status = partial(bot.private, method + "Status", strategy_id=strategy["id"])
        soon(ask_status, lambda status: not status["pending"])
    bot.private("Earn/Allocations")


def test_errors_arrive_as_the_protocol_has_them(api, portal):
    assert api.query_private("EditOrder")["error"] == ["EGeneral:Unknown method"]
    assert api.query_private("Nonsense")["error"] == ["EGeneral:Unknown method"]
    unknown = {"asset": "XBT", "key": "nowhere", "amount": "0.1"}
    assert api.query_private("Withdraw", unknown)["error"] == ["EFunding:Unknown withdraw key"]
    stranger = krakenex.API("A" * 56, portal.keys["treasury-bot"][1])
    stranger.uri = portal.url
    assert stranger.query_private("Balance")["error"] == ["EAPI:Invalid key"]
    mistaken = krakenex.API(portal.keys["treasury-bot"][0], portal.keys["readonly-bot"][1])
    mistaken.uri = portal.url
    assert mistaken.query_private("Balance")["error"] == ["EAPI:Invalid signature"]
    other = krakenex.API(*portal.keys["trading-bot"])
    other.uri = portal.url
    assert other.query_private("Withdraw", unknown)["error"] == ["EGeneral:Permission denied"]
