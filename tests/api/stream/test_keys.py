"""A socket answers to its key at every moment (DESIGN K4)."""

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.test import override_settings
from django.utils import timezone

from accounts.api_keys import lifecycle
from accounts.api_keys.streaming import sockets
from accounts.models import ApiKey, ServiceUser, StreamSocket, StreamToken
from portal.audit.models import AuditEvent
from tests.api.stream.sockets import opened, played
from tests.api.stream.streaming_bots import streaming, token_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bot(world):
    """The treasury's, which may stream."""
    return streaming(world.bot("treasury-bot"))


def change(bot, **values) -> None:
    ServiceUser.objects.filter(pk=bot.service_user.pk).update(**values)
    lifecycle.touch(bot.service_user)


def revoke(bot) -> None:
    lifecycle.revoke(bot.key, at=timezone.now())


def expire(bot) -> None:
    ApiKey.objects.filter(pk=bot.key.pk).update(expires_at=timezone.now() + timedelta(seconds=0.2))
    lifecycle.touch(bot.service_user)


def retire(bot) -> None:
    lifecycle.retire(ApiKey.objects.filter(pk=bot.key.pk), at=timezone.now() + timedelta(seconds=0.2))


CHANGES = {
    "revoked": (revoke, 1008),
    "expired": (expire, 1008),
    "rotation ended": (retire, 1008),
    "removed": (lambda bot: change(bot, removed_at=timezone.now(), suspended_at=timezone.now()), 1008),
    "suspended": (lambda bot: change(bot, suspended_at=timezone.now()), 1013),
    "paused": (lambda bot: lifecycle.pause(bot.key, by=bot.key.made_by, at=timezone.now()), 1013),
    "WebSocket off": (lambda bot: change(bot, websocket=False), 1013),
    "allow-list": (lambda bot: change(bot, ip_allow_list=["192.0.2.0/24"]), 1013),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_the_key_closes_its_sockets_within_a_second_and_says_why(bot, name):
    make, code = CHANGES[name]

    async def scene():
        token = await sync_to_async(token_of)(bot)
        async with opened() as mine, opened() as others:
            assert (await mine.ask("subscribe", channel="balances", token=token))["success"]
            await others.ask("subscribe", channel="ticker", symbol=["BTC/USD"])
            await sync_to_async(make)(bot)
            ended = await mine.end(within=1.5)
            assert (ended.code, bool(ended.reason)) == (code, True)
            assert len(ended.reason.encode()) <= 123
            assert await others.frame(channel="heartbeat")

    played(scene)
    assert not StreamSocket.objects.exists()
    event = AuditEvent.objects.filter(kind="stream.closed").get()
    assert event.organization_id == bot.service_user.organization_id


def test_a_lost_permission_cuts_its_channel_off_and_leaves_the_others(bot):
    async def scene():
        token = await sync_to_async(token_of)(bot)
        async with opened() as socket:
            for channel in ("balances", "executions"):
                assert (await socket.ask("subscribe", channel=channel, token=token))["success"]
            kept = [name for name in bot.service_user.permissions if name != "query-funds"]
            await sync_to_async(change)(bot, permissions=kept)
            frame = await socket.frame(method="unsubscribe", within=1.5)
            assert frame["error"] == "EGeneral:Permission denied"
            assert frame["result"] == {"channel": "balances"}
            again = await socket.ask("subscribe", channel="balances", token=token)
            assert (again["success"], again["error"]) == (False, "EGeneral:Permission denied")
            assert (await socket.ask("subscribe", channel="executions", token=token))["error"] == "Already subscribed"

    played(scene)


def test_a_member_closes_a_socket_and_only_that_one(bot, owner):
    async def scene():
        token = await sync_to_async(token_of)(bot)
        async with opened() as one, opened() as other:
            assert (await one.ask("subscribe", channel="balances", token=token))["success"]
            row = await StreamSocket.objects.aget()
            assert (await other.ask("subscribe", channel="balances", token=token))["success"]
            await sync_to_async(sockets.ask_to_close)(row.pk, owner)
            ended = await one.end(within=1.5)
            assert ended.code == 1013
            assert (await other.ask("ping"))["method"] == "pong"
            # Its row goes after the goodbye.
            await asyncio.sleep(0.5)
            assert await StreamSocket.objects.acount() == 1

    played(scene)
    assert AuditEvent.objects.filter(kind="stream.closed").count() == 1


def test_a_token_is_good_on_its_socket_after_its_time_and_on_no_other(bot):
    async def scene():
        token = await sync_to_async(token_of)(bot)
        async with opened() as old, opened() as new:
            assert (await old.ask("subscribe", channel="balances", token=token))["success"]
            ago = timezone.now() - timedelta(minutes=16)
            await StreamToken.objects.aupdate(created_at=ago, expires_at=ago + timedelta(minutes=15))
            assert (await old.ask("subscribe", channel="executions", token=token))["success"]
            refused = await new.ask("subscribe", channel="balances", token=token)
            assert refused["error"] == "EAPI:Invalid token"
            assert (await new.ask("ping"))["method"] == "pong"

    played(scene)


def test_a_socket_belongs_to_the_first_key_that_shows_a_token(bot, world):
    other = world.bot("trading-bot")
    change(other, websocket=True)

    async def scene():
        mine, theirs = await sync_to_async(token_of)(bot), await sync_to_async(token_of)(other)
        async with opened() as socket:
            assert (await socket.ask("subscribe", channel="balances", token=mine))["success"]
            for params in ({"channel": "executions"}, {"channel": "balances"}):
                refused = await socket.ask("subscribe", **params, token=theirs)
                assert refused["error"] == "EAPI:Invalid token"
            assert (await socket.ask("cancel_all", token=theirs))["error"] == "EAPI:Invalid token"

    played(scene)


def test_a_token_opens_nothing_from_an_address_that_its_key_may_not_be_used_from(bot):
    change(bot, ip_allow_list=["192.0.2.0/24"])

    async def scene():
        token = await sync_to_async(token_of)(bot)
        async with opened(source="198.51.100.7") as outside, opened(source="192.0.2.9") as inside:
            assert (await outside.ask("subscribe", channel="balances", token=token))["error"] == "EAPI:Invalid token"
            assert (await inside.ask("subscribe", channel="balances", token=token))["success"]

    played(scene)


@override_settings(STREAM_SOCKETS_OF_KEY=2, API_LIMITS=True)
def test_a_key_has_so_many_sockets_and_no_more(bot):
    async def scene():
        token = await sync_to_async(token_of)(bot)
        async with opened() as one, opened() as two, opened() as three:
            for socket in (one, two):
                assert (await socket.ask("subscribe", channel="balances", token=token))["success"]
            refused = await three.ask("subscribe", channel="balances", token=token)
            assert refused["error"] == "EGeneral:Too many requests"
            assert (await one.ask("subscribe", channel="executions", token=token))["success"]

    played(scene)
