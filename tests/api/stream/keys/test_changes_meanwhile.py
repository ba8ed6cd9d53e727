"""A key that changes while something is waited for: what was read of it before opens nothing any more."""

import asyncio
from contextlib import contextmanager
from datetime import timedelta
from threading import Event

import pytest
from asgiref.sync import sync_to_async
from django.db import DatabaseError
from django.utils import timezone

from accounts.api_keys import lifecycle
from accounts.models import ServiceUser, StreamSocket
from portal.api.stream import subscribing
from portal.api.stream.keys import key_watch, register
from portal.api.stream.keys.key_watch import Look
from portal.audit.models import AuditEvent
from tests.api.calls import Wire
from tests.api.stream.sockets import opened, played
from tests.api.stream.streaming_bots import streaming, token_of

pytestmark = pytest.mark.django_db(transaction=True)
# Time enough for the watch to have found a change.
FOUND = 1.0


@pytest.fixture
def bot(world):
    return streaming(world.bot("treasury-bot"))


def change(bot, **values) -> None:
    ServiceUser.objects.filter(pk=bot.service_user.pk).update(**values)
    lifecycle.touch(bot.service_user)


def without_funds(bot) -> None:
    change(bot, permissions=[name for name in bot.service_user.permissions if name != "query-funds"])


@contextmanager
def stopped(monkeypatch, module, name: str):
    """The first call of a function waits, in its thread, until `go_on` is set."""
    really, go_on, waits = getattr(module, name), Event(), Event()

    def slowly(*args, **kwargs):
        if not waits.is_set():
            waits.set()
            assert go_on.wait(10)
        return really(*args, **kwargs)

    monkeypatch.setattr(module, name, slowly)
    try:
        yield waits, go_on
    finally:
        go_on.set()


def test_a_socket_that_knows_the_key_as_it_is_now_hides_no_change_from_an_older_one(bot, monkeypatch):
    really = key_watch._look
    monkeypatch.setattr(key_watch, "_look", lambda known, process: Look({}, frozenset()))

    async def scene():
        token = await sync_to_async(token_of)(bot)
        async with opened() as older, opened() as newer:
            assert (await older.ask("subscribe", channel="balances", token=token))["success"]
            await sync_to_async(without_funds)(bot)
            assert (await newer.ask("subscribe", channel="executions", token=token))["success"]
            monkeypatch.setattr(key_watch, "_look", really)
            frame = await older.frame(method="unsubscribe", within=1.5)
            assert frame["result"] == {"channel": "balances"}

    played(scene)


def test_a_right_that_is_lost_while_the_socket_is_written_down_opens_no_channel(bot, monkeypatch):
    async def scene():
        token = await sync_to_async(token_of)(bot)
        with stopped(monkeypatch, register, "_open") as (waits, go_on):
            async with opened() as socket:
                socket.send(method="subscribe", req_id=3, params={"channel": "balances", "token": token})
                assert await asyncio.to_thread(waits.wait, 5)
                await sync_to_async(without_funds)(bot)
                await asyncio.sleep(FOUND)
                go_on.set()
                assert (await socket.frame(req_id=3))["error"] == "EGeneral:Permission denied"

    played(scene)


def test_a_right_that_is_lost_while_a_snapshot_is_read_leaves_no_request_without_an_answer(bot, monkeypatch):
    async def scene():
        token = await sync_to_async(token_of)(bot)
        with stopped(monkeypatch, subscribing, "_snapshot") as (waits, go_on):
            async with opened() as socket:
                socket.send(method="subscribe", req_id=3, params={"channel": "balances", "token": token})
                assert await asyncio.to_thread(waits.wait, 5)
                await sync_to_async(without_funds)(bot)
                await asyncio.sleep(FOUND)
                go_on.set()
                assert (await socket.frame(req_id=3))["error"] == "EGeneral:Permission denied"
                await socket.nothing(channel="balances")

    played(scene)


def test_a_window_that_closes_while_a_snapshot_is_read_bounds_it(bot, monkeypatch):
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "10000", "volume": "0.001"}

    async def scene():
        token = await sync_to_async(token_of)(bot)
        assert await sync_to_async(Wire(bot).result)("AddOrder", **order)
        read = subscribing._snapshot
        with stopped(monkeypatch, subscribing, "_snapshot") as (waits, go_on):
            slowly, seen = subscribing._snapshot, []

            def late(channel, credential, options):
                found = read(channel, credential, options)
                seen.append(found)
                return found if len(seen) > 1 else (slowly(channel, credential, options), found)[1]

            monkeypatch.setattr(subscribing, "_snapshot", late)
            async with opened() as socket:
                socket.send(method="subscribe", req_id=3, params={"channel": "executions", "token": token})
                assert await asyncio.to_thread(waits.wait, 5)
                await sync_to_async(change)(bot, query_start=timezone.now() + timedelta(hours=1))
                await asyncio.sleep(FOUND)
                go_on.set()
                assert (await socket.frame(channel="executions"))["data"] == []

    played(scene)


def test_a_socket_that_is_closed_while_it_is_written_down_leaves_no_row(bot, monkeypatch):
    """Its row would be shown, and count as one too many, for a minute."""

    async def scene():
        token = await sync_to_async(token_of)(bot)
        with stopped(monkeypatch, register, "_open") as (waits, go_on):
            async with opened() as socket:
                socket.send(method="subscribe", req_id=3, params={"channel": "balances", "token": token})
                assert await asyncio.to_thread(waits.wait, 5)
                await sync_to_async(change)(bot, websocket=False)
                await asyncio.sleep(FOUND)
                go_on.set()
                assert (await socket.end()).code == 1013

    played(scene)
    assert not StreamSocket.objects.exists()
    assert AuditEvent.objects.filter(kind="stream.closed").count() == 1


@pytest.mark.parametrize("error", [DatabaseError("gone"), TypeError("nobody foresaw this")], ids=["away", "unforeseen"])
def test_a_look_that_fails_in_whatever_way_lets_no_socket_go_on_unseen(bot, monkeypatch, error):
    def fails(*args: object) -> None:
        raise error

    monkeypatch.setattr(key_watch, "BLIND_SECONDS", 0.5)

    async def scene():
        token = await sync_to_async(token_of)(bot)
        async with opened() as socket:
            assert (await socket.ask("subscribe", channel="balances", token=token))["success"]
            monkeypatch.setattr(key_watch, "_look", fails)
            assert (await socket.end(within=3)).code == 1013

    played(scene)


def test_a_look_that_never_ends_lets_no_socket_go_on_unseen(bot, monkeypatch):
    monkeypatch.setattr(key_watch, "BLIND_SECONDS", 0.5)

    async def scene():
        token = await sync_to_async(token_of)(bot)
        async with opened() as socket:
            assert (await socket.ask("subscribe", channel="balances", token=token))["success"]
            with stopped(monkeypatch, key_watch, "_look"):
                assert (await socket.end(within=3)).code == 1013

    played(scene)
