"""ccxt reads what public channels tell as it reads the exchange."""

import asyncio
import json
from types import SimpleNamespace

import ccxt.pro
import msgspec
import pytest

from portal.api.stream.channels.registry import OF_A_PAIR
from portal.venues.paper.venue import PaperVenue

VENUE = PaperVenue()
PAIR = VENUE.pair("BTC/USD")


def frames(clock, name, seconds, **fields):
    """A snapshot, and the updates of so many seconds."""
    channel, (_, state) = OF_A_PAIR[name], (None, None)
    options = channel.read({"channel": name, "symbol": ["BTC/USD"], **fields})
    for second in range(seconds + 1):
        clock(second)
        rows, state = channel.update(VENUE, PAIR, options, state)
        if second == 0:
            yield "snapshot", channel.snapshot(PAIR, options, state)
        elif rows:
            yield "update", rows


@pytest.fixture
def exchange():
    """ccxt with one market, and nobody to ask for others."""
    found = ccxt.pro.kraken()
    found.set_markets([{
        "id": "XXBTZUSD", "symbol": "BTC/USD", "base": "BTC", "quote": "USD", "type": "spot", "spot": True,
        "precision": {"price": 0.1, "amount": 1e-8}, "info": {"wsname": "XBT/USD"},
    }])  # fmt: skip
    yield found
    asyncio.run(found.close())


def read(exchange, handler, name, sent):
    """What ccxt gives its user at last."""
    given = []
    client = SimpleNamespace(resolve=lambda result, message_hash: given.append(result))
    for kind, rows in sent:
        handler(client, json.loads(msgspec.json.encode({"channel": name, "type": kind, "data": rows})))
    return given[-1]


def test_a_ticker(clock, exchange):
    ticker = read(exchange, exchange.handle_ticker, "ticker", frames(clock, "ticker", 16))
    (there,) = VENUE.tickers(["BTC/USD"])
    assert (ticker["symbol"], ticker["last"], ticker["bid"]) == (
        "BTC/USD", float(there.last.price), float(there.bid.price),
    )  # fmt: skip
    assert ticker["baseVolume"] == float(there.day.volume)
    assert ticker["percentage"] is not None


def test_trades(clock, exchange):
    trades = read(exchange, exchange.handle_trades, "trade", frames(clock, "trade", 32))
    there = VENUE.public_trades("BTC/USD", None, 52)
    assert [(trade["id"], trade["price"], trade["amount"], trade["side"]) for trade in trades] == [
        (str(trade.number), float(trade.price), float(trade.volume), "buy" if trade.is_buy else "sell")
        for trade in there
    ]
    assert [trade["timestamp"] for trade in trades] == [int(trade.at.timestamp() * 1000) for trade in there]


def test_candles(clock, exchange):
    candles = read(exchange, exchange.handle_ohlcv, "ohlc", frames(clock, "ohlc", 80, interval=1))
    there = VENUE.candles("BTC/USD", 1, None, 14)
    assert sorted([begins, *map(float, rest)] for begins, *rest in candles) == [
        [int(each.begins.timestamp() * 1000),
         *map(float, (each.open, each.high, each.low, each.close, each.volume))]
        for each in there
    ]  # fmt: skip
