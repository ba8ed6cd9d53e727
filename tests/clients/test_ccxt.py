"""ccxt as released, told nothing but the address."""

import ccxt
import pytest

pytestmark = pytest.mark.slow


def connect(portal, name: str) -> "ccxt.kraken":
    key, secret = portal.keys[name]
    exchange = ccxt.kraken({"apiKey": key, "secret": secret, "enableRateLimit": False})
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


def test_errors_become_the_exceptions_they_are(exchange, portal):
    with pytest.raises(ccxt.PermissionDenied):
        exchange.withdraw("BTC", 0.001, "", params={"key": "btc-cold"})
    with pytest.raises(ccxt.ExchangeNotAvailable):
        exchange.fetch_ticker("BTC/USD")
    with pytest.raises(ccxt.ExchangeNotAvailable):
        exchange.create_order("BTC/USD", "limit", "buy", 0.01, 10000)
    stranger = connect(portal, "trading-bot")
    stranger.apiKey = "A" * 56
    with pytest.raises(ccxt.AuthenticationError):
        stranger.fetch_balance()
