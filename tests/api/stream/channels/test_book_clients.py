"""The books that public client libraries keep stay those of the venue, whatever they are sent."""

import asyncio
import json
from types import SimpleNamespace

import ccxt.pro
import msgspec
import pytest
from kraken.spot import SpotOrderBookClient

from portal.api.stream.channels import book
from portal.venues.paper.venue import PaperVenue

VENUE = PaperVenue()
PAIR = VENUE.pair("BTC/USD")
DEPTHS = [10, 25, 100]


def frames(clock, depth, seconds=240):
    """What is sent from now on, with what the venue has at each moment."""
    options = book.read({"channel": "book", "symbol": ["BTC/USD"], "depth": depth})
    _, state = book.update(VENUE, PAIR, options, None)
    yield "snapshot", book.snapshot(PAIR, options, state), VENUE.depth("BTC/USD", depth)
    for second in range(1, seconds):
        clock(second * 3)
        rows, state = book.update(VENUE, PAIR, options, state)
        yield "update", rows, VENUE.depth("BTC/USD", depth)


def message(kind, rows):
    return json.loads(msgspec.json.encode({"channel": "book", "type": kind, "data": rows}))


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
        for kind, rows, there in frames(clock, depth):
            await client.on_message(message(kind, rows))
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
    for kind, rows, there in frames(clock, depth):
        exchange.handle_order_book(client, message(kind, rows))
        kept = exchange.orderbooks["BTC/USD"]
        assert [tuple(level[:2]) for level in kept["asks"]] == as_floats(there.asks)
        assert [tuple(level[:2]) for level in kept["bids"]] == as_floats(there.bids)
