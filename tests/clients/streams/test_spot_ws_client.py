"""python-kraken-sdk's clients of sockets as released, told nothing but the addresses."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from kraken.spot import SpotClient, SpotOrderBookClient, SpotWSClient, Trade

from tests.clients.streams.conftest import Bot, serving_sockets
from tests.running import free_port

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
PAIR = "BTC/USD"
Message = dict[str, Any]
RESTING = {"order_type": "limit", "side": "buy", "symbol": PAIR, "order_qty": 0.01, "limit_price": 10000}


class Heard:
    """Everything that came, in its order."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.came = asyncio.Event()

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)
        self.came.set()

    async def until(self, is_it: Callable[[Message], bool], after: int = 0) -> Message:
        """The first message that it is true of, from number `after` on."""
        while True:
            self.came.clear()
            for message in self.messages[after:]:
                if is_it(message):
                    return message
            await self.came.wait()

    async def data(self, channel: str, kind: str = "update", after: int = 0) -> list[Message]:
        message = await self.until(lambda each: each.get("channel") == channel and each.get("type") == kind, after)
        rows: list[Message] = message["data"]
        return rows

    async def order(self, exec_type: str, after: int = 0) -> Message:
        """The first row of `executions` of that kind."""
        message = await self.until(
            lambda each: (
                each.get("channel") == "executions"
                and bool(each["data"])
                and each["data"][0].get("exec_type") == exec_type
            ),
            after,
        )
        row: Message = message["data"][0]
        return row

    async def answer(self, req_id: int) -> Message:
        return await self.until(lambda each: each.get("req_id") == req_id)


@asynccontextmanager
async def connected(bot: Bot, *, is_public: bool = False) -> AsyncIterator[tuple[SpotWSClient, Heard]]:
    """A client with one socket, of those that it may have: it takes ten seconds to leave one that is silent."""
    heard = Heard()
    key = {} if is_public else {"key": bot.key, "secret": bot.secret}
    client = SpotWSClient(
        **key, callback=heard, no_public=not is_public, rest_url=bot.url, ws_url=bot.socket_url,
        auth_ws_url=bot.socket_url,
    )  # fmt: skip
    async with asyncio.timeout(90):
        await client.start()
        try:
            yield client, heard
        finally:
            await client.close()


def with_client(bot: Bot, act: Callable[[SpotWSClient, Heard], Awaitable[None]], *, is_public: bool = False) -> None:
    async def run() -> None:
        async with connected(bot, is_public=is_public) as (client, heard):
            await act(client, heard)

    asyncio.run(run())


def test_what_anybody_may_follow(bot):
    async def act(client: SpotWSClient, heard: Heard) -> None:
        for channel, more in (
            ("ticker", {}),
            ("book", {"depth": 10}),
            ("trade", {"snapshot": True}),
            ("ohlc", {"interval": 1}),
        ):
            await client.subscribe({"channel": channel, "symbol": [PAIR], **more}, req_id=7)
            first = (await heard.data(channel, "snapshot"))[0]
            assert first["symbol"] == PAIR
        await client.subscribe({"channel": "instrument"})
        await heard.data("instrument", "snapshot")
        assert {each["channel"] for each in client.active_public_subscriptions} >= {"ticker", "book", "trade", "ohlc"}
        await client.unsubscribe({"channel": "ticker", "symbol": [PAIR]})
        await heard.until(lambda each: each.get("method") == "unsubscribe" and each["success"])
        assert "ticker" not in {each["channel"] for each in client.active_public_subscriptions}
        await heard.until(lambda each: each.get("method") == "pong")

    with_client(bot, act, is_public=True)


def test_orders_trades_and_the_ledger(bot):
    async def act(client: SpotWSClient, heard: Heard) -> None:
        await client.subscribe({"channel": "executions"})
        await client.subscribe({"channel": "balances"})
        held = {row["asset"]: row["balance"] for row in await heard.data("balances", "snapshot")}
        assert held == {"BTC": 2, "USD": 100000}

        await client.send_message({"method": "add_order", "params": RESTING, "req_id": 1})
        made = (await heard.answer(1))["result"]["order_id"]
        assert (await heard.order("new"))["order_id"] == made
        await client.send_message({"method": "cancel_order", "params": {"order_id": [made]}, "req_id": 2})
        assert (await heard.answer(2))["result"]["order_id"] == made
        assert (await heard.order("canceled"))["order_id"] == made

        market = {"order_type": "market", "side": "sell", "symbol": PAIR, "order_qty": 0.01}
        await client.send_message({"method": "add_order", "params": market, "req_id": 3})
        filled = await heard.order("trade")
        assert filled["order_id"] == (await heard.answer(3))["result"]["order_id"]
        assert (filled["last_qty"], filled["order_status"], filled["symbol"]) == (0.01, "filled", PAIR)
        rows = await heard.data("balances")
        assert {row["type"] for row in rows} == {"trade"}

        await client.send_message({"method": "cancel_all", "req_id": 4})
        assert (await heard.answer(4))["result"] == {"count": 0}
        await client.send_message({"method": "add_order", "params": {**RESTING, "order_qty": 1000}, "req_id": 5})
        refused = await heard.answer(5)
        assert (refused["success"], refused["error"]) == (False, "EOrder:Insufficient funds")

    with_client(bot, act)


def test_what_it_followed_it_follows_again_after_its_socket_broke(bot):
    """It subscribes anew with what the acknowledgement said, as with words of its own."""

    async def act(client: SpotWSClient, heard: Heard) -> None:
        await client.subscribe({"channel": "executions"})
        await client.subscribe({"channel": "balances"})
        await heard.data("balances", "snapshot")
        after = len(heard.messages)
        assert client._priv_conn is not None
        await client._priv_conn.close_connection()
        await heard.data("balances", "snapshot", after)
        await heard.data("executions", "snapshot", after)
        assert not [each for each in heard.messages[after:] if each.get("success") is False]
        await client.send_message({"method": "add_order", "params": RESTING})
        await heard.order("new", after)

    with_client(bot, act)


def test_nothing_is_lost_while_the_server_is_started_anew(portal, operator):
    """What happened meanwhile stands in the snapshot that comes first; the client connects again by itself."""
    port = free_port()
    key, secret = operator("started-anew")
    bot = Bot(key, secret, portal.url, f"ws://127.0.0.1:{port}")

    async def run() -> None:
        with serving_sockets(portal, port) as first:
            async with connected(bot) as (client, heard):
                await client.subscribe({"channel": "executions"})
                await heard.data("executions", "snapshot")
                began = time.monotonic()
                first.terminate()
                await asyncio.to_thread(first.wait, 30)
                assert time.monotonic() - began < 10
                after = len(heard.messages)
                trade = Trade(key=key, secret=secret, url=portal.url)
                limit = {"ordertype": "limit", "side": "buy", "pair": "XBTUSD", "volume": 0.01, "price": 10000}
                (made,) = (await asyncio.to_thread(trade.create_order, **limit))["txid"]
                with serving_sockets(portal, port):
                    rows = await heard.data("executions", "snapshot", after)
                    assert [row["order_id"] for row in rows] == [made]

    asyncio.run(run())


def test_a_book_whose_checksums_are_right(bot, monkeypatch):
    """Its client takes no address but these two, of its classes, and asks over HTTP how long the numbers are."""
    monkeypatch.setattr(SpotClient, "URL", bot.url)
    monkeypatch.setattr(SpotOrderBookClient, "WS_URL", bot.socket_url)
    updates: list[Message] = []

    async def run() -> None:
        async def heard(pair: str, message: Message) -> None:
            updates.append(message)

        client = SpotOrderBookClient(depth=10, callback=heard)
        async with asyncio.timeout(60):
            await client.start()
            await client.add_book([PAIR])
            for _ in range(600):
                if sum(message.get("type") == "update" for message in updates) >= 3:
                    break
                await asyncio.sleep(0.1)
            book = client.get(PAIR)
            await client.remove_book([PAIR])
            await client.close()
        assert book is not None
        assert book["valid"]
        assert len(book["ask"]) == len(book["bid"]) == 10
        assert max(map(float, book["bid"])) < min(map(float, book["ask"]))

    asyncio.run(run())
    assert not [message for message in updates if "error" in message]
    assert sum(message["type"] == "update" for message in updates) >= 3
