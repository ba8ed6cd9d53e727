"""ccxt as released, told nothing but the address."""

import ccxt
import pytest
import requests

from tests.clients.conftest import every_method
from tests.running import soon, unzipped

pytestmark = pytest.mark.slow


def connect(portal, name: str, client: "type[ccxt.kraken]" = ccxt.kraken) -> "ccxt.kraken":
    key, secret = portal.keys[name]
    exchange = client({"apiKey": key, "secret": secret, "enableRateLimit": False})
    exchange.urls["api"]["public"] = exchange.urls["api"]["private"] = portal.url
    return exchange


@pytest.fixture
def exchange(portal) -> "ccxt.kraken":
    return connect(portal, "trading-bot")


def test_what_anybody_may_ask(exchange):
    assert exchange.fetch_time() > 0
    assert exchange.fetch_status()["status"] == "ok"
    markets = exchange.load_markets()
    assert markets["BTC/USD"]["active"]
    assert markets["BTC/USD"]["id"] == "XXBTZUSD"
    assert exchange.currencies["BTC"]["id"] == "XXBT"
    assert exchange.currencies["BTC"]["active"]


def test_what_an_account_holds(exchange):
    balance = exchange.fetch_balance()
    assert balance["USD"]["free"] > 0
    entries = exchange.fetch_ledger("BTC")
    assert entries[0]["currency"] == "BTC"
    assert entries[0]["direction"] == "in"
    assert exchange.private_post_getapikeyinfo()["result"]["apiKeyName"] == "trading-bot"


def test_a_withdrawal_that_waits_is_pending(portal):
    exchange = connect(portal, "treasury-bot")
    before = exchange.fetch_balance()["BTC"]["free"]
    sent = exchange.withdraw("BTC", 0.001, "", params={"key": "btc-cold"})
    (row,) = [row for row in exchange.fetch_withdrawals("BTC") if row["id"] == sent["id"]]
    assert row["status"] == "pending"
    assert row["amount"] == pytest.approx(0.00095)
    assert exchange.fetch_balance()["BTC"]["free"] == pytest.approx(before - 0.001)
    paged = exchange.fetch_withdrawals("BTC", params={"paginate": True})
    assert sent["id"] in [each["id"] for each in paged]


class Recording(ccxt.kraken):  # type: ignore[misc]
    """The client, and which methods it has called."""

    def fetch2(self, path, api="public", *rest, **more):
        self.called.add(path)
        return super().fetch2(path, api, *rest, **more)


def test_every_method_there_is(portal):
    """By its unified functions where it has them, and by its own for the rest."""
    exchange = connect(portal, "treasury-bot", Recording)
    exchange.called = set()
    exchange.fetch_time()
    exchange.fetch_status()
    exchange.load_markets()
    the_market(exchange)
    orders_and_trades(exchange)
    a_token_for_a_socket(exchange, portal)
    exports(exchange)
    funds(exchange)
    earn(exchange)
    assert exchange.called == every_method()


def the_market(exchange) -> None:
    ticker = exchange.fetch_ticker("BTC/USD")
    assert ticker["bid"] < ticker["ask"]
    assert "ETH/USD" in exchange.fetch_tickers()
    book = exchange.fetch_order_book("BTC/USD")
    assert book["bids"][0][0] < book["asks"][0][0]
    assert exchange.fetch_trades("BTC/USD", limit=5)[0]["symbol"] == "BTC/USD"
    exchange.public_get_spread({"pair": "XBTUSD"})


def orders_and_trades(exchange) -> None:
    order = exchange.create_order("BTC/USD", "limit", "buy", 0.01, 10000, {"postOnly": True})
    assert (order["symbol"], order["side"], order["price"], order["type"]) == ("BTC/USD", "buy", 10000, "limit")
    assert exchange.fetch_order(order["id"], "BTC/USD")["status"] == "open"
    assert order["id"] in [each["id"] for each in exchange.fetch_open_orders("BTC/USD")]
    exchange.cancel_order(order["id"], "BTC/USD")
    assert exchange.fetch_order(order["id"], "BTC/USD")["status"] == "canceled"
    filled = exchange.create_order("BTC/USD", "market", "sell", 0.01)
    closed = exchange.fetch_closed_orders("BTC/USD")
    (row,) = [each for each in closed if each["id"] == filled["id"]]
    assert (row["status"], row["filled"]) == ("closed", 0.01)
    trades = exchange.fetch_my_trades("BTC/USD")
    assert trades[-1]["order"] == filled["id"]
    assert exchange.fetch_order_trades(filled["id"], "BTC/USD", params={"trades": [trades[-1]["id"]]})
    entries = exchange.fetch_ledger("USD")
    assert exchange.fetch_ledger_entry(entries[-1]["id"])["type"] == "trade"
    exchange.create_order("BTC/USD", "limit", "buy", 0.01, 10000, {"clientOrderId": "mine"})
    exchange.cancel_all_orders()
    assert exchange.fetch_open_orders("BTC/USD") == []
    assert exchange.fetch_positions() == []
    assert exchange.fetch_trading_fee("BTC/USD")["maker"] == pytest.approx(0.0025)
    assert float(exchange.private_post_tradebalance()["result"]["eb"]) > 0


def a_token_for_a_socket(exchange, portal) -> None:
    if portal.is_gateway:
        with pytest.raises(ccxt.ExchangeError, match="Unknown method"):
            exchange.private_post_getwebsocketstoken()
    else:
        assert exchange.private_post_getwebsocketstoken()["result"]["token"]


def exports(exchange) -> None:
    export_id = exchange.private_post_addexport({"report": "trades", "description": "mine"})["result"]["id"]
    soon(
        lambda: exchange.private_post_exportstatus({"report": "trades"})["result"],
        lambda rows: next(row for row in rows if row["id"] == export_id)["status"] == "Processed",
    )
    # It takes every answer for text; what it signs can be sent by hand.
    with pytest.raises(UnicodeDecodeError):
        exchange.private_post_retrieveexport({"id": export_id})
    signed = exchange.sign("RetrieveExport", "private", "POST", {"id": export_id})
    answer = requests.post(signed["url"], data=signed["body"], headers=signed["headers"], timeout=10)
    assert unzipped(answer.content).startswith('"txid","ordertxid","pair"')
    exchange.private_post_removeexport({"id": export_id, "type": "delete"})


def funds(exchange) -> None:
    assert exchange.private_post_getapikeyinfo()["result"]["apiKeyName"] == "treasury-bot"
    exchange.private_post_balance()
    exchange.fetch_balance()
    assert exchange.fetch_deposit_methods("BTC")
    assert exchange.fetch_deposit_address("BTC")["address"]
    assert exchange.fetch_deposits("BTC")[0]["status"] == "ok"
    exchange.private_post_withdrawmethods()
    exchange.private_post_withdrawaddresses()
    exchange.private_post_withdrawinfo({"asset": "XBT", "key": "btc-cold", "amount": "0.01"})
    sent = exchange.withdraw("BTC", 0.01, "", params={"key": "btc-cold"})
    assert sent["id"] in [row["id"] for row in exchange.fetch_withdrawals("BTC")]
    exchange.private_post_withdrawcancel({"asset": "XBT", "refid": sent["id"]})


def earn(exchange) -> None:
    (strategy, *_) = exchange.private_post_earn_strategies({"asset": "USDC", "lock_type": ["instant"]})["result"][
        "items"
    ]
    move = {"strategy_id": strategy["id"], "amount": 100.0}
    exchange.private_post_earn_allocate(move)
    soon(
        lambda: exchange.private_post_earn_allocatestatus({"strategy_id": strategy["id"]})["result"],
        lambda status: not status["pending"],
    )
    exchange.private_post_earn_deallocate(move)
    # To the end: what comes back later would change the balances that the next test compares.
    soon(
        lambda: exchange.private_post_earn_deallocatestatus({"strategy_id": strategy["id"]})["result"],
        lambda status: not status["pending"],
    )
    exchange.private_post_earn_allocations()


def test_errors_become_the_exceptions_they_are(exchange, portal):
    with pytest.raises(ccxt.PermissionDenied):
        exchange.withdraw("BTC", 0.001, "", params={"key": "btc-cold"})
    # An error for good (fault bots-A13): one for a service that is away is asked again for ever.
    with pytest.raises(ccxt.ExchangeError, match="Unknown method"):
        exchange.fetch_ohlcv("BTC/USD")
    with pytest.raises(ccxt.InsufficientFunds):
        exchange.create_order("BTC/USD", "limit", "buy", 1000, 10000)
    with pytest.raises(ccxt.InvalidOrder):
        exchange.cancel_order("OAAAAA-AAAAA-AAAAAA")
    with pytest.raises(ccxt.BadRequest):
        exchange.private_post_addorder({"pair": "XBTUSD"})
    stranger = connect(portal, "trading-bot")
    stranger.apiKey = "A" * 56
    with pytest.raises(ccxt.AuthenticationError):
        stranger.fetch_balance()
