"""Public client libraries read what public channels tell as they read the exchange, and their books stay right."""

import asyncio
import json
from types import SimpleNamespace

import ccxt.pro
import msgspec
import pytest
from kraken.spot import SpotOrderBookClient

from portal.api.stream.channels import book
from portal.api.stream.channels.registry import OF_A_PAIR
from portal.venues.paper.venue import PaperVenue

VENUE = PaperVenue()
PAIR = VENUE.pair("BTC/USD")
DEPTHS = [10, 25, 100]


def books(clock, depth, seconds=240):
    """What is sent from now on, with what the venue has at each moment."""
    options = book.read({"channel": "book", "symbol": ["BTC/USD"], "depth": depth})
    _, state = book.update(VENUE, PAIR, options, None)
    yield "snapshot", book.snapshot(PAIR, options, state), VENUE.depth("BTC/USD", depth)
    for second in range(1, seconds):
        clock(second * 3)
        rows, state = book.update(VENUE, PAIR, options, state)
        yield "update", rows, VENUE.depth("BTC/USD", depth)


def message(channel, kind, rows):
    return json.loads(msgspec.json.encode({"channel": channel, "type": kind, "data": rows}))


def as_floats(side):
    return [(float(level.price), float(level.volume)) for level in side]


@pytest.mark.parametrize("depth", DEPTHS)
def test_python_kraken_sdk_finds_every_checksum_right(clock, depth):
    errors: list[object] = []
    seen: list[object] = []

    async def told(pair, message):
        (errors if "error" in message else seen).append(message)

    async def follow():
        client = SpotOrderBookClient(depth=depth, callback=told)
        row = {"pair_decimals": PAIR.price_decimals, "lot_decimals": PAIR.volume_decimals}
        market = SimpleNamespace(get_asset_pairs=lambda pair: {pair: row})
        setattr(client, "_SpotOrderBookClient__market", market)  # noqa: B010
        for kind, rows, there in books(clock, depth):
            await client.on_message(message("book", kind, rows))
            kept = client.get("BTC/USD") or {}
            for side, levels in (("ask", there.asks), ("bid", there.bids)):
                assert [(float(price), float(qty)) for price, (qty, _) in kept[side].items()] == as_floats(levels)
        await client.close()

    asyncio.run(follow())
    assert errors == []
    assert len(seen) == 240


@pytest.mark.parametrize("depth", DEPTHS)
def test_ccxt_has_the_venues_book_after_every_frame(clock, depth):
    exchange = ccxt.pro.kraken()
    client = SimpleNamespace(resolve=lambda *_: None)
    for kind, rows, there in books(clock, depth):
        exchange.handle_order_book(client, message("book", kind, rows))
        kept = exchange.orderbooks["BTC/USD"]
        assert [tuple(level[:2]) for level in kept["asks"]] == as_floats(there.asks)
        assert [tuple(level[:2]) for level in kept["bids"]] == as_floats(there.bids)


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
        handler(client, message(name, kind, rows))
    return given[-1]


def test_ccxt_reads_a_ticker(clock, exchange):
    ticker = read(exchange, exchange.handle_ticker, "ticker", frames(clock, "ticker", 16))
    (there,) = VENUE.tickers(["BTC/USD"])
    assert (ticker["symbol"], ticker["last"], ticker["bid"]) == (
        "BTC/USD", float(there.last.price), float(there.bid.price),
    )  # fmt: skip
    assert ticker["baseVolume"] == float(there.day.volume)
    assert ticker["percentage"] is not None


def test_ccxt_reads_trades(clock, exchange):
    trades = read(exchange, exchange.handle_trades, "trade", frames(clock, "trade", 32))
    there = VENUE.public_trades("BTC/USD", None, 52)
    assert [(trade["id"], trade["price"], trade["amount"], trade["side"]) for trade in trades] == [
        (str(trade.number), float(trade.price), float(trade.volume), "buy" if trade.is_buy else "sell")
        for trade in there
    ]
    assert [trade["timestamp"] for trade in trades] == [int(trade.at.timestamp() * 1000) for trade in there]


def test_ccxt_reads_candles(clock, exchange):
    candles = read(exchange, exchange.handle_ohlcv, "ohlc", frames(clock, "ohlc", 80, interval=1))
    there = VENUE.candles("BTC/USD", 1, None, 14)
    assert sorted([begins, *map(float, rest)] for begins, *rest in candles) == [
        [int(each.begins.timestamp() * 1000),
         *map(float, (each.open, each.high, each.low, each.close, each.volume))]
        for each in there
    ]  # fmt: skip
