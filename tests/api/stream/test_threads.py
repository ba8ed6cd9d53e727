"""One Account that is waited for keeps no other one waiting; the watch over keys, and news, wait for none of them."""

import asyncio
from decimal import Decimal
from threading import Event, Semaphore

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from accounts.api_keys import lifecycle
from portal.api.stream import subscribing, threads
from portal.api.stream.delivery import markets
from portal.venues.paper import funding
from tests.api.stream.sockets import opened, played
from tests.api.stream.streaming_bots import streaming, subscribed, token_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stuck(monkeypatch):
    """Snapshots of the Accounts in the set wait until `go_on` is set; `waiting` counts those that do."""
    really, account_ids, go_on, waiting = subscribing._snapshot, set[int](), Event(), Semaphore(0)

    def slowly(channel, credential, options):
        if credential.account_id in account_ids:
            waiting.release()
            assert go_on.wait(20)
        return really(channel, credential, options)

    monkeypatch.setattr(subscribing, "_snapshot", slowly)
    yield account_ids, waiting, go_on
    go_on.set()


async def fill(bot, stuck, sockets, count: int) -> str:
    """So many sockets of the bot ask for a snapshot that waits; its token."""
    account_ids, waiting, _ = stuck
    account_ids.add(bot.service_user.account_id)
    token = await sync_to_async(token_of)(bot)
    for socket in sockets:
        socket.send(method="subscribe", req_id=1, params={"channel": "balances", "token": token})
    for _ in range(count):
        assert await asyncio.to_thread(waiting.acquire, timeout=5)
    return token


def test_an_account_that_is_locked_keeps_no_other_waiting(world, stuck):
    bot, other = streaming(world.bot("treasury-bot")), streaming(world.bot("eve-bot"))

    async def scene():
        async with opened() as one, opened() as two, opened() as three, opened() as four, opened() as theirs:
            token = await sync_to_async(token_of)(other)
            await fill(bot, stuck, (one, two, three, four), threads.OF_ACCOUNT)
            assert (await theirs.ask("subscribe", channel="balances", token=token))["success"]
            stuck[-1].set()
            for socket in (one, two, three, four):
                assert (await socket.frame(req_id=1))["success"]

    played(scene)


def test_strangers_who_look_at_prices_take_no_thread_from_who_shows_a_token(world, monkeypatch):
    bot, go_on, waiting = streaming(world.bot("treasury-bot")), Event(), Semaphore(0)

    def slowly(*args):
        waiting.release()
        assert go_on.wait(20)
        return [], []

    monkeypatch.setattr(markets.Topic, "snapshot", slowly)

    async def scene():
        async with opened() as one, opened() as two, opened() as three, opened() as four, opened() as theirs:
            token = await sync_to_async(token_of)(bot)
            pairs = ("BTC/USD", "ETH/USD", "BTC/EUR", "ETH/EUR")
            assert len(pairs) == threads.COUNT
            for stranger, pair in zip((one, two, three, four), pairs, strict=True):
                stranger.send(method="subscribe", params={"channel": "ticker", "symbol": [pair]})
            for _ in range(threads.OF_PRICES):
                assert await asyncio.to_thread(waiting.acquire, timeout=5)
            try:
                assert (await theirs.ask("subscribe", channel="balances", token=token))["success"]
            finally:
                go_on.set()

    played(scene)


def test_a_revoked_key_waits_for_no_thread_that_others_hold(world, stuck):
    bot, other = streaming(world.bot("treasury-bot")), streaming(world.bot("eve-bot"))

    async def scene():
        async with opened() as one, opened() as two, opened() as three, opened() as four:
            await fill(bot, stuck, (one, two), threads.OF_ACCOUNT)
            await fill(other, stuck, (three, four), threads.OF_ACCOUNT)
            await sync_to_async(lifecycle.revoke)(other.key, at=timezone.now())
            assert (await three.end(within=1.5)).code == 1008
            stuck[-1].set()

    played(scene)


def test_what_happens_is_told_while_every_thread_makes_a_snapshot(world, stuck):
    """After a process has died its sockets come to the others all at once: nobody who is there waits for them."""
    bot, other = streaming(world.bot("treasury-bot")), streaming(world.bot("eve-bot"))

    async def scene():
        async with opened() as there, opened() as one, opened() as two, opened() as three, opened() as four:
            await subscribed(there, "balances", await sync_to_async(token_of)(bot))
            await fill(bot, stuck, (one, two), threads.OF_ACCOUNT)
            await fill(other, stuck, (three, four), threads.OF_ACCOUNT)
            account_id = bot.service_user.account_id
            await sync_to_async(funding.deposit)(account_id, "USD", Decimal(5), reference="told-meanwhile")
            frame = await there.frame(channel="balances", type="update", within=1.5)
            assert [row["amount"] for row in frame["data"]] == [5]
            stuck[-1].set()

    played(scene)
