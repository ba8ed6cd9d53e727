"""python-kraken-sdk as released, told nothing but the address."""

import pytest
from kraken.exceptions import (
    KrakenInvalidAmountError,
    KrakenPermissionDeniedError,
    KrakenUnknownMethodError,
    KrakenUnknownWithdrawKeyError,
)
from kraken.spot import Earn, Funding, Market, SpotClient, Trade, User

from tests.clients.conftest import every_method
from tests.running import soon, unzipped

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


# Its nonces are a hundred thousand times larger than the other clients', so it gets keys that they never use.
def given(portal, key: tuple[str, str]) -> dict[str, str]:
    return {"key": key[0], "secret": key[1], "url": portal.url}


def test_the_market_and_an_account(portal):
    key = portal.keys["readonly-bot"]
    market, user = Market(url=portal.url), User(**given(portal, key))
    assert "XXBT" in market.get_assets(assets="XBT")
    assert "XXBTZUSD" in market.get_asset_pairs(pair="XBTUSD")
    assert user.get_account_balance()["ZUSD"]
    assert user.get_balances()["XXBT"]["hold_trade"]
    assert user.get_ledgers_info(asset="XBT")["ledger"]
    assert user.get_open_orders()["open"] == {}
    with pytest.raises(KrakenUnknownMethodError):
        user.get_order_amends(order_id="OAAAAA-AAAAA-AAAAAA")
    with pytest.raises(KrakenPermissionDeniedError):
        Trade(**given(portal, key)).cancel_all_orders()
    with pytest.raises(KrakenPermissionDeniedError):
        Funding(**given(portal, key)).withdraw_funds(asset="XBT", key="btc-cold", amount="1")


def test_every_method_there_is(portal, monkeypatch):
    called: set[str] = set()
    request = SpotClient.request

    def recording(client, method, uri, *rest, **more):
        called.add(uri.partition("/public/")[2] or uri.partition("/private/")[2])
        return request(client, method, uri, *rest, **more)

    monkeypatch.setattr(SpotClient, "request", recording)
    connection = given(portal, portal.elsewhere)
    user = User(**connection)
    the_market(Market(url=portal.url))
    orders_and_trades(Trade(**connection), user)
    exports(user)
    funds(Funding(**connection), user)
    earn(Earn(**connection))
    assert called == every_method()


def the_market(market: Market) -> None:
    market.request("GET", "/0/public/Time", auth=False)
    assert market.get_system_status()["status"] == "online"
    market.get_assets()
    market.get_asset_pairs()
    assert "XXBTZUSD" in market.get_ticker(pair="XBTUSD")
    assert market.get_order_book(pair="XBTUSD", count=5)["XXBTZUSD"]["asks"]
    assert market.get_recent_trades(pair="XBTUSD")["last"]
    assert market.get_recent_spreads(pair="XBTUSD")["XXBTZUSD"]


def orders_and_trades(trade: Trade, user: User) -> None:
    limit = {"ordertype": "limit", "side": "sell", "pair": "XBTUSD", "volume": 0.01, "price": 900000}
    (resting,) = trade.create_order(**limit)["txid"]
    assert resting in user.get_open_orders()["open"]
    assert trade.create_order(**limit, validate=True)["descr"]["order"].startswith("sell 0.01000000 XBTUSD @ limit")
    assert trade.cancel_order(txid=resting) == {"count": 1}
    (filled,) = trade.create_order(ordertype="market", side="sell", pair="XBTUSD", volume="0.01")["txid"]
    assert {filled, resting} <= user.get_closed_orders()["closed"].keys()
    assert user.get_orders_info(txid=[filled, resting]).keys() == {filled, resting}
    trades = user.get_trades_history(ledgers=True)["trades"]
    assert user.get_trades_info(txid=next(iter(trades)))
    entry = next(iter(user.get_ledgers_info()["ledger"]))
    assert user.get_ledgers(id_=entry)[entry]["type"] == "trade"
    trade.create_order(**limit, userref=5)
    assert trade.cancel_all_orders() == {"count": 1}
    assert user.get_open_positions() == []
    assert user.get_trade_volume(pair="XBTUSD")["fees"]["XXBTZUSD"]
    assert float(user.get_trade_balance()["eb"]) > 0


def exports(user: User) -> None:
    export_id = user.request_export_report(report="ledgers", description="mine")["id"]
    soon(
        lambda: user.get_export_report_status(report="ledgers"),
        lambda rows: next(row for row in rows if row["id"] == export_id)["status"] == "Processed",
    )
    file = user.retrieve_export(id_=export_id)
    assert "trade" in unzipped(file.content)  # type: ignore[attr-defined]  # it is a whole response
    assert user.delete_export_report(id_=export_id) == {"delete": True}


def funds(funding: Funding, user: User) -> None:
    user.request("POST", "/0/private/GetApiKeyInfo")
    with pytest.raises(KrakenPermissionDeniedError):  # this bot's WebSocket setting is off
        user.request("POST", "/0/private/GetWebSocketsToken")
    user.get_account_balance()
    user.get_balances()
    method = funding.get_deposit_methods(asset="XBT")[0]["method"]
    assert funding.get_deposit_address(asset="XBT", method=method)[0]["address"]
    assert funding.get_recent_deposits_status(asset="XBT") is not None
    funding.withdraw_methods()
    funding.withdraw_addresses()
    funding.get_withdrawal_info(asset="XBT", key="eve-cold", amount="0.01")
    refid = funding.withdraw_funds(asset="XBT", key="eve-cold", amount="0.01")["refid"]
    assert refid in [row["refid"] for row in funding.get_recent_withdraw_status(asset="XBT")]
    assert funding.cancel_withdraw(asset="XBT", refid=refid) in (True, False)


def earn(earning: Earn) -> None:
    (strategy, *_) = earning.list_earn_strategies(asset="XBT")["items"]
    earning.allocate_earn_funds(amount="0.1", strategy_id=strategy["id"])
    soon(
        lambda: earning.get_allocation_status(strategy_id=strategy["id"]),
        lambda status: not status["pending"],
    )
    earning.deallocate_earn_funds(amount="0.1", strategy_id=strategy["id"])
    # To the end: what comes back later would change the balances that another test compares.
    soon(
        lambda: earning.get_deallocation_status(strategy_id=strategy["id"]),
        lambda status: not status["pending"],
    )
    assert earning.list_earn_allocations()["items"]


def the_row(funding: Funding, asset: str, refid: str):
    (row,) = [row for row in funding.get_recent_withdraw_status(asset=asset) if row["refid"] == refid]
    return row


def test_a_withdrawal_that_nothing_governs(portal):
    funding = Funding(**given(portal, portal.elsewhere))
    (address,) = funding.withdraw_addresses()
    asset, key = address["asset"], address["key"]
    assert funding.withdraw_methods(asset=asset)[0]["method"] == address["method"]
    assert funding.get_withdrawal_info(asset=asset, key=key, amount="0.1")["method"] == address["method"]
    refid = funding.withdraw_funds(asset=asset, key=key, amount="0.1")["refid"]
    assert refid in [row["refid"] for row in funding.get_recent_withdraw_status(asset=asset)]
    if portal.is_gateway:
        soon(lambda: the_row(funding, asset, refid), lambda row: row["status"] != "Initial")
    assert funding.cancel_withdraw(asset=asset, refid=refid) is False
    with pytest.raises(KrakenInvalidAmountError):
        funding.withdraw_funds(asset=asset, key=key, amount="1000")
    with pytest.raises(KrakenUnknownWithdrawKeyError):
        funding.withdraw_funds(asset=asset, key="nowhere", amount="0.1")
