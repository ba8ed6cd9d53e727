"""ccxt.pro as released, told nothing but the addresses."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import ccxt.pro
import pytest

from tests.clients.streams.conftest import Bot

pytestmark = pytest.mark.slow
PAIR = "BTC/USD"


@asynccontextmanager
async def connected(bot: Bot) -> "AsyncIterator[ccxt.pro.kraken]":
    exchange = ccxt.pro.kraken({"apiKey": bot.key, "secret": bot.secret, "enableRateLimit": False})
    exchange.urls["api"]["public"] = exchange.urls["api"]["private"] = bot.url
    for name in ("publicV2", "privateV2", "private"):
        exchange.urls["api"]["ws"][name] = f"{bot.socket_url}/v2"
    try:
        async with asyncio.timeout(60):
            yield exchange
    finally:
        await exchange.close()


def with_client(bot: Bot, act: "Callable[[ccxt.pro.kraken], Awaitable[None]]") -> None:
    async def run() -> None:
        async with connected(bot) as exchange:
            await act(exchange)

    asyncio.run(run())


class Followed:
    """What a `watch_…` gives again and again, kept by a task of its own so that nothing passes unseen."""

    def __init__(self, watch: Callable[[], Awaitable[Any]]) -> None:
        self.seen: list[Any] = []
        self.came = asyncio.Event()
        self.task = asyncio.create_task(self.follow(watch))

    async def follow(self, watch: Callable[[], Awaitable[Any]]) -> None:
        while True:
            given = await watch()
            self.seen.extend(given if isinstance(given, list) else [given])
            self.came.set()

    async def until(self, is_it: Callable[[Any], bool]) -> Any:
        """The first one that it is true of."""
        while True:
            self.came.clear()
            for each in self.seen:
                if is_it(each):
                    return each
            waiting = asyncio.create_task(self.came.wait())
            await asyncio.wait({waiting, self.task}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if self.task.done():
                self.task.result()

    def stop(self) -> None:
        self.task.cancel()


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
        orders = Followed(exchange.watch_orders)
        made = await exchange.create_order_ws(PAIR, "limit", "buy", 0.01, 10000, {"clientOrderId": "mine"})
        shown = await orders.until(lambda order: order["id"] == made["id"] and order["status"] == "open")
        assert (shown["symbol"], shown["side"], shown["price"], shown["amount"]) == (PAIR, "buy", 10000, 0.01)
        assert [order["id"] for order in await exchange.fetch_open_orders(PAIR)] == [made["id"]]
        await exchange.cancel_order_ws(made["id"])
        await orders.until(lambda order: order["id"] == made["id"] and order["status"] == "canceled")
        assert await exchange.fetch_open_orders(PAIR) == []
        orders.stop()

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
        # The one that is kept is written over with each event; so what is wanted of it is taken at once.
        async def balance() -> tuple[float, float]:
            held = await exchange.watch_balance()
            return held["BTC"]["total"], held["USD"]["total"]

        trades, balances = Followed(exchange.watch_my_trades), Followed(balance)
        await balances.until(lambda held: held == (2, 100000))
        made = await exchange.create_order_ws(PAIR, "market", "buy", 0.01)
        trade = await trades.until(lambda trade: trade["order"] == made["id"])
        assert (trade["symbol"], trade["side"], trade["amount"]) == (PAIR, "buy", 0.01)
        assert trade["fee"]["currency"] == "USD"
        assert trade["takerOrMaker"] == "taker"
        cost = trade["cost"] + trade["fee"]["cost"]
        await balances.until(lambda held: held == (2.01, pytest.approx(100000 - cost)))
        mine = await exchange.fetch_my_trades(PAIR)
        assert [each["id"] for each in mine] == [trade["id"]]
        trades.stop()
        balances.stop()

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
