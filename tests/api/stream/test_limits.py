"""What one source, one key and one socket may ask for."""

import asyncio

import pytest
from django.test import override_settings

from portal.api.limits import lockout
from portal.api.stream import limits
from portal.api.stream.limits import Bucket
from portal.api.stream.outbox import Outbox
from tests.api.stream.sockets import Closed, opened, played


@pytest.fixture(autouse=True)
def _counted(settings):
    settings.API_LIMITS = True
    limits.forget_all()
    lockout.forget_all()
    yield
    limits.forget_all()
    lockout.forget_all()


def test_a_bucket_takes_so_many_at_once_and_so_many_a_second_after():
    bucket = Bucket(most=3, rate=2)
    assert [bucket.takes(100.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.takes(101.0) for _ in range(3)] == [True, True, False]
    assert not bucket.takes(50.0)  # a clock that went back gives nothing


def test_an_outbox_that_was_full_takes_nothing_more():
    outbox = Outbox(10)
    assert outbox.put("12345")
    assert not outbox.put("123456")
    assert outbox.is_full
    assert not outbox.put("1")
    assert outbox.left() == []


def test_an_outbox_counts_a_frame_until_it_was_sent():
    async def scene():
        outbox = Outbox(10)
        outbox.put("12345")
        frame = await outbox.take()
        assert outbox.size == 5
        outbox.sent(frame)
        assert outbox.size == 0
        assert outbox.put("1234567890")

    asyncio.run(scene())


@override_settings(STREAM_CONNECTS=3)
@pytest.mark.django_db(transaction=True)
def test_a_source_that_connects_too_often_is_banned_and_others_are_not():
    async def scene():
        for _ in range(3):
            async with opened(source="198.51.100.7") as socket:
                await socket.next()
        for _ in range(2):
            with pytest.raises(Closed) as refused:
                async with opened(source="198.51.100.7"):
                    pass
            assert refused.value.code == 429
        async with opened(source="198.51.100.8") as other:
            await other.next()

    played(scene)


@override_settings(STREAM_SOCKETS_OF_SOURCE=2)
@pytest.mark.django_db(transaction=True)
def test_a_source_has_so_many_sockets_at_a_time():
    async def scene():
        async with opened(source="2001:db8::1") as one:
            async with opened(source="2001:db8::2") as two:
                await one.next()
                await two.next()
                with pytest.raises(Closed):
                    async with opened(source="2001:db8::3"):
                        pass
                async with opened(source="2001:db8:0:1::1"):
                    pass
            async with opened(source="2001:db8::3") as three:
                await three.next()

    played(scene)


@override_settings(STREAM_MESSAGES_AT_ONCE=5.5, STREAM_MESSAGES_PER_SECOND=4.0)
@pytest.mark.django_db(transaction=True)
def test_a_flood_of_messages_is_refused_one_by_one_and_read_no_faster_than_its_rate():
    async def scene():
        async with opened() as socket:
            await socket.next()
            began = asyncio.get_running_loop().time()
            for number in range(13):
                socket.send(method="ping", req_id=number)
            answers = [await socket.next() for _ in range(13)]
            assert [answer["req_id"] for answer in answers] == list(range(13))
            assert not any("error" in answer for answer in answers[:5])
            refused = [answer["error"] for answer in answers if "error" in answer]
            assert set(refused) == {"EAPI:Rate limit exceeded"}
            assert asyncio.get_running_loop().time() - began >= len(refused) / 4
            socket.send_text("{")
            assert (await socket.next())["success"] is False

    played(scene)


@override_settings(STREAM_MESSAGES_AT_ONCE=40.0, STREAM_MESSAGES_PER_SECOND=20.0)
@pytest.mark.django_db(transaction=True)
def test_a_long_message_counts_as_many():
    async def scene():
        async with opened() as socket:
            assert (await socket.ask("ping", padding="x" * 60_000))["method"] == "pong"
            refused = await socket.ask("ping", padding="x" * 60_000)
            assert refused["error"] == "EAPI:Rate limit exceeded"
            assert (await socket.ask("ping"))["method"] == "pong"

    played(scene)


@override_settings(STREAM_SUBSCRIPTIONS=2)
@pytest.mark.django_db(transaction=True)
def test_a_socket_has_so_many_subscriptions():
    async def scene():
        async with opened() as socket:
            await socket.ask("subscribe", channel="ticker", symbol=["BTC/USD", "ETH/USD", "SOL/USD"])
            refused = await socket.frame(success=False)
            assert (refused["error"], refused["symbol"]) == ("EGeneral:Too many requests", "SOL/USD")
            assert (await socket.ask("unsubscribe", channel="ticker", symbol=["BTC/USD"]))["success"]
            assert (await socket.ask("subscribe", channel="ticker", symbol=["SOL/USD"]))["success"]

    played(scene)


@override_settings(STREAM_QUEUE_LIMIT=2048)
@pytest.mark.django_db(transaction=True)
def test_whoever_reads_too_slowly_is_closed_and_others_go_on():
    async def scene():
        async with opened() as slow, opened() as quick:
            for socket in (slow, quick):
                await socket.ask("subscribe", channel="book", symbol=["BTC/USD"], depth=10)
            slow.reads.clear()
            for _ in range(2):
                await quick.frame(channel="book", type="update")
            slow.reads.set()
            assert (await slow.end()).code == 1013
            assert (await quick.ask("ping"))["method"] == "pong"

    played(scene)


@pytest.mark.django_db(transaction=True)
def test_whoever_shows_one_token_after_the_other_that_opens_nothing_is_closed():
    async def scene():
        async with opened() as socket:
            for number in range(20):
                answer = await socket.ask("subscribe", channel="balances", token=f"{number:043}")
                assert answer["error"] == "EAPI:Invalid token"
            assert (await socket.end()).code == 1013

    played(scene)


def test_what_waits_behind_a_frame_that_may_be_lost_is_not_sent_either():
    """An end that comes while a frame is on its way: it may never get there, and what follows would hide that."""

    async def scene():
        outbox = Outbox(100)
        outbox.put("a")
        outbox.put("b")
        assert await outbox.take() == "a"
        assert outbox.left() == []
        outbox.put("c")
        outbox.sent("a")
        assert outbox.left() == ["c"]

    asyncio.run(scene())
