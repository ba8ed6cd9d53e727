"""What is kept of a socket for the pages: its row while it is open, what is counted of it, why it was refused."""

import asyncio
from threading import Event

import pytest
from asgiref.sync import sync_to_async

from accounts.api_keys import usage
from accounts.api_keys.streaming import sockets
from accounts.models import KeyUse, RefusedCall, StreamSocket
from portal.api.stream.keys import register
from portal.audit.models import AuditEvent
from tests.api.stream.sockets import opened, played
from tests.api.stream.streaming_bots import streaming, subscribed, token_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bot(world):
    return streaming(world.bot("treasury-bot"))


def test_a_socket_and_its_channels_are_counted_and_its_first_is_history(bot):
    async def scene():
        token = await sync_to_async(token_of)(bot)
        for _ in range(2):
            async with opened() as socket:
                await socket.next()
                await subscribed(socket, "balances", token)
                assert not (await socket.ask("subscribe", channel="balances", token=token))["success"]

    played(scene)
    usage.flush()
    # Two sockets with one channel each.
    assert KeyUse.objects.get(kind="Streaming").calls == 4
    event = AuditEvent.objects.get(kind="stream.opened")
    assert (event.actor_label, event.source, event.subject_id) == ("treasury-bot", "127.0.0.1", bot.key.pk)
    assert not StreamSocket.objects.exists()


def test_what_is_refused_on_a_socket_stands_with_its_reason_on_the_page_of_the_key(bot, world):
    other = streaming(world.bot("trading-bot"))

    async def scene():
        token, theirs = [await sync_to_async(token_of)(each) for each in (bot, other)]
        async with opened() as socket:
            await socket.next()
            await subscribed(socket, "balances", token)
            await socket.ask("subscribe", channel="executions", token=theirs)
            await socket.ask("subscribe", channel="executions", token="A" * 43)
        async with opened() as nobodys:
            await nobodys.ask("subscribe", channel="executions", token="A" * 43)

    played(scene)
    usage.flush()
    mistaken, invented = RefusedCall.objects.order_by("pk")
    assert (mistaken.method, mistaken.answer, mistaken.reason) == ("subscribe", "EAPI:Invalid token", "token_of_other")
    assert (invented.method, invented.reason, invented.api_key) == ("subscribe", "token_unknown", bot.key)


def test_a_socket_that_ends_while_all_are_said_leaves_no_row(bot, monkeypatch):
    """Its row would be shown, and count as one too many, for a minute."""
    saying, go_on, really = Event(), Event(), sockets.seen

    def slowly(*args):
        saying.set()
        assert go_on.wait(5)
        really(*args)

    monkeypatch.setattr(register, "SEEN_SECONDS", 0.1)

    async def scene():
        token = await sync_to_async(token_of)(bot)
        async with opened() as socket:
            await socket.next()
            await subscribed(socket, "balances", token)
            monkeypatch.setattr(sockets, "seen", slowly)
            assert await asyncio.to_thread(saying.wait, 5)
            asyncio.get_running_loop().call_later(0.3, go_on.set)

    played(scene)
    assert not StreamSocket.objects.exists()
