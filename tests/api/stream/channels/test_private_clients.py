"""What ccxt knows of an Account from its private channels is what the venue says of it."""

from types import SimpleNamespace

import ccxt.pro
import pytest

from portal.venues.registry import venue
from tests.api.stream.channels.following import Follower
from tests.api.stream.channels.test_executions import MARKET
from tests.api.stream.trading.test_add_order import FAR

pytestmark = pytest.mark.django_db


@pytest.fixture
def exchange():
    return ccxt.pro.kraken()


def hear(exchange, channel, frames, kind="update"):
    client = SimpleNamespace(resolve=lambda *_: None, reject=lambda *_: None)
    for rows in frames:
        exchange.handle_message(client, {"channel": channel, "type": kind, "data": as_floats(rows)})


def as_floats(rows):
    """As JSON is read there."""
    if isinstance(rows, list):
        return [as_floats(row) for row in rows]
    if isinstance(rows, dict):
        return {name: as_floats(value) for name, value in rows.items()}
    return rows if isinstance(rows, str | int) else float(rows)


def test_ccxt_follows_orders_and_trades(exchange, messenger, trading):
    """Reference §13: it takes each frame for what its first row is."""
    resting = messenger.result("add_order", **FAR)["order_id"]
    messenger.result("add_order", **MARKET)
    follower = Follower(messenger.bot, "executions", snap_trades=True)
    hear(exchange, "executions", follower.first, "snapshot")
    gone = messenger.result("add_order", **FAR)["order_id"]
    messenger.result("cancel_order", order_id=[gone])
    filled = messenger.result("add_order", **MARKET)["order_id"]
    hear(exchange, "executions", follower.rest())
    known = {order["id"]: order for order in exchange.orders}
    assert {name: order["status"] for name, order in known.items()} == {
        resting: "open",
        gone: "canceled",
        filled: "closed",
    }
    rows = trading.result("QueryOrders", txid=",".join(known))
    for name, order in known.items():
        row = rows[name]
        assert (order["symbol"], order["side"], order["type"]) == ("BTC/USD", "buy", row["descr"]["ordertype"])
        assert order["amount"] == float(row["vol"])
        assert (order["average"] or 0.0, order["cost"]) == (float(row["price"]), float(row["cost"]))
    history = trading.result("TradesHistory")["trades"]
    assert {trade["id"] for trade in exchange.myTrades} == history.keys()
    for trade in exchange.myTrades:
        row = history[trade["id"]]
        assert (trade["price"], trade["amount"], trade["cost"]) == tuple(
            float(row[name]) for name in ("price", "vol", "cost")
        )
        assert trade["fee"] == {"cost": float(row["fee"]), "currency": "USD"}
        assert trade["takerOrMaker"] == "taker"


def test_ccxt_follows_balances(exchange, messenger, account):
    follower = Follower(messenger.bot, "balances")
    hear(exchange, "balances", follower.first, "snapshot")
    messenger.result("add_order", **MARKET)
    messenger.result("add_order", **FAR)
    hear(exchange, "balances", follower.rest())
    there = {row.asset.code: row for row in venue(account.venue).balances(account.pk)}
    for code in ("BTC", "USD", "ETH"):
        row = there[code]
        units = row.units + row.held_by_withdrawals_units
        assert exchange.balance["spot"][code]["total"] == pytest.approx(units / 10**row.asset.decimals)
