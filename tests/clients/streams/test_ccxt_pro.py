"""ccxt.pro as released, told nothing but the addresses."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from itertools import repeat
from typing import Any

import ccxt.pro
import pytest

from tests.clients.streams.conftest import Bot

pytestmark = pytest.mark.slow
PAIR = "BTC/USD"
Row = dict[str, Any]


@asynccontextmanager
async def connected(bot: Bot) -> "AsyncIterator[ccxt.pro.kraken]":
    exchange = ccxt.pro.kraken({"apiKey": bot.key, "secret": bot.secret, "enableRateLimit": False})
    exchange.urls["api"]["public"] = exchange.urls["api"]["private"] = bot.url
    for name in ("publicV2", "privateV2", "private"):
        exchange.urls["api"]["ws"][name] = f"{bot.socket_url}/v2"
    try:
        async with asyncio.timeout(60):
            # What needs a token asks for it: all at once if they begin at once, with nonces that overtake each other.
            await exchange.load_markets()
            await exchange.authenticate()
            yield exchange
    finally:
        await exchange.close()


def with_client(bot: Bot, act: "Callable[[ccxt.pro.kraken], Awaitable[None]]") -> None:
    async def run() -> None:
        async with connected(bot) as exchange:
            await act(exchange)

    asyncio.run(run())


@asynccontextmanager
async def watching(*watches: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Have the client watch all the while: what it hears it keeps, whether or not somebody waits just then."""

    async def again_and_again(watch: Callable[[], Awaitable[object]]) -> None:
        for _ in repeat(None):
            await watch()

    tasks = [asyncio.create_task(again_and_again(watch)) for watch in watches]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(look: Callable[[], Iterable[Row]]) -> Row:
    """The first of what is looked for, once there is one."""
    for pause in repeat(0.05):
        for row in look():
            return row
        await asyncio.sleep(pause)
    raise AssertionError


def test_what_anybody_may_watch(bot):
    async def act(exchange: "ccxt.pro.kraken") -> None:
        ticker = await exchange.watch_ticker(PAIR)
        assert 0 < ticker["bid"] < ticker["ask"]
        assert ticker["low"] <= ticker["last"] <= ticker["high"]
        book = await exchange.watch_order_book(PAIR)
        assert len(book["bids"]) == len(book["asks"]) == 10
        assert book["bids"][0][0] < book["asks"][0][0]
        later = await exchange.watch_order_book(PAIR)
        assert later["bids"][0][0] < later["asks"][0][0]
        trades = await exchange.watch_trades(PAIR)
        assert {trade["symbol"] for trade in trades} == {PAIR}
        assert all(trade["price"] > 0 and trade["side"] in ("buy", "sell") for trade in trades)
        candles = await exchange.watch_ohlcv(PAIR, "1m")
        # It keeps the numbers of candles as text.
        assert all(float(low) <= float(close) <= float(high) for _, _, high, low, close, _ in candles)
        assert all(at % 60_000 == 0 for at, *_ in candles)

    with_client(bot, act)


def test_an_order_from_its_making_to_its_end(bot):
    async def act(exchange: "ccxt.pro.kraken") -> None:
        def mine(status: str) -> list[Row]:
            kept = exchange.orders or []
            return [order for order in kept if order["id"] == made["id"] and order["status"] == status]

        async with watching(exchange.watch_orders):
            made = await exchange.create_order_ws(PAIR, "limit", "buy", 0.01, 10000, {"clientOrderId": "mine"})
            shown = await until(lambda: mine("open"))
            assert (shown["symbol"], shown["side"], shown["price"], shown["amount"]) == (PAIR, "buy", 10000, 0.01)
            assert [order["id"] for order in await exchange.fetch_open_orders(PAIR)] == [made["id"]]
            await exchange.cancel_order_ws(made["id"])
            await until(lambda: mine("canceled"))
            assert await exchange.fetch_open_orders(PAIR) == []

    with_client(bot, act)


def test_what_is_open_already_comes_first(bot):
    async def act(exchange: "ccxt.pro.kraken") -> None:
        made = await exchange.create_order(PAIR, "limit", "buy", 0.01, 10000)
        (order,) = await exchange.watch_orders()
        assert (order["id"], order["status"], order["price"]) == (made["id"], "open", 10000)
        answer = await exchange.cancel_all_orders_ws()
        assert answer["result"] == {"count": 1}

    with_client(bot, act)


def test_a_trade_and_what_it_does_to_the_balance(bot):
    async def act(exchange: "ccxt.pro.kraken") -> None:
        assert (await exchange.watch_balance())["total"] == {"BTC": 2, "USD": 100000}
        async with watching(exchange.watch_my_trades, exchange.watch_balance):
            made = await exchange.create_order_ws(PAIR, "market", "buy", 0.01)
            trade = await until(lambda: exchange.myTrades or [])
            assert (trade["order"], trade["symbol"], trade["side"], trade["amount"]) == (made["id"], PAIR, "buy", 0.01)
            assert (trade["fee"]["currency"], trade["takerOrMaker"]) == ("USD", "taker")
            left = {"BTC": 2.01, "USD": pytest.approx(100000 - trade["cost"] - trade["fee"]["cost"])}
            await until(lambda: [total for total in [exchange.balance["spot"]["total"]] if total == left])
        mine = await exchange.fetch_my_trades(PAIR)
        assert [each["id"] for each in mine] == [trade["id"]]

    with_client(bot, act)


def test_errors_become_the_exceptions_they_are(bot):
    async def act(exchange: "ccxt.pro.kraken") -> None:
        with pytest.raises(ccxt.OrderNotFound):
            await exchange.cancel_order_ws("OAAAAA-AAAAA-AAAAAA")
        with pytest.raises(ccxt.ExchangeError, match="EOrder:Insufficient funds"):
            await exchange.create_order_ws(PAIR, "limit", "buy", 1000, 10000)
        made = await exchange.create_order_ws(PAIR, "limit", "buy", 0.01, 10000)
        assert made["id"]

    with_client(bot, act)
