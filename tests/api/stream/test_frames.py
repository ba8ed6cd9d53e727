"""What any socket is told, and what becomes of frames that are no requests."""

import pytest
from django.test import override_settings

from tests.api.stream.sockets import Closed, opened, played

pytestmark = pytest.mark.django_db(transaction=True)

DEEP = '{"method":' + "[" * 30_000 + "]" * 30_000 + "}"
BAD = [
    "", " ", "{", "null", "7", '"ping"', "[]", '[{"method":"ping"}]', "{}", '{"method":null}', '{"method":7}',
    '{"method":["ping"]}', '{"method":{}}', '{"method":"ping","params":[]}', '{"method":"ping","params":"x"}',
    '{"method":"ping","params":null}', '{"method":"ping","req_id":"7"}', '{"method":"ping","req_id":-1}',
    '{"method":"ping","req_id":1.5}', '{"method":"ping","req_id":true}', '{"method":"ping","req_id":1e400}',
    '{"method":"ping","req_id":9223372036854775808}', '{"method":"ping","req_id":' + "9" * 5000 + "}",
    '{"method":"ping","req_id":NaN}', '{"method":"ping",}', '{"method":"ping"} {}', "\x00", "\ud800".encode(
        "utf-8", "surrogatepass").decode("utf-8", "replace"), DEEP,
    # IN-6: keys that come twice, in whatever spelling.
    '{"method":"ping","method":"ping"}', '{"method":"ping","req_id":1,"req_id":1}',
    r'{"method":"ping","params":{"validate":true,"\u0076alidate":false}}',
]  # fmt: skip


def test_the_first_frame_says_the_status():
    async def scene():
        async with opened() as socket:
            frame = await socket.next()
            (row,) = frame["data"]
            assert (frame["channel"], frame["type"]) == ("status", "update")
            assert (row["api_version"], row["system"], row["version"]) == ("v2", "online", "2.0.0")
            assert 0 <= row["connection_id"] < 2**53

    played(scene)


def test_a_ping_is_answered_with_its_number_or_without():
    async def scene():
        async with opened() as socket:
            await socket.next()
            socket.send(method="ping")
            plain = await socket.next()
            assert set(plain) == {"method", "time_in", "time_out"}
            assert plain["method"] == "pong"
            assert plain["time_in"] <= plain["time_out"]
            socket.send(method="ping", req_id=41)
            assert (await socket.next())["req_id"] == 41

    played(scene)


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_what_is_no_request_is_answered_with_an_error_and_the_socket_goes_on(text):
    async def scene():
        async with opened() as socket:
            await socket.next()
            socket.send_text(text)
            frame = await socket.next()
            assert frame["success"] is False
            assert frame["error"] in {"EGeneral:Invalid arguments", "EGeneral:Unknown method"}
            assert (await socket.ask("ping"))["method"] == "pong"

    played(scene)


@pytest.mark.parametrize(
    ("method", "params", "error"),
    [
        ("withdraw", {}, "EGeneral:Unknown method"),
        ("Ping", {}, "EGeneral:Unknown method"),
        ("x" * 10_000, {}, "EGeneral:Unknown method"),
        ("subscribe", {}, "Subscription name invalid"),
        ("subscribe", {"channel": "level9"}, "Subscription name invalid"),
        ("subscribe", {"channel": ["ticker"]}, "Subscription name invalid"),
        ("subscribe", {"channel": {"ticker": 1}}, "Subscription name invalid"),
        ("subscribe", {"channel": "ticker"}, "Symbol(s) not found"),
        ("subscribe", {"channel": "ticker", "symbol": ["XBT/USD"]}, "Currency pair not supported XBT/USD"),
        ("subscribe", {"channel": "ticker", "symbol": ["BTC/USD"] * 2000, "event_trigger": 7},
         "Event trigger not supported"),
        ("unsubscribe", {"channel": "ticker", "symbol": ["BTC/USD"]}, "Subscription Not Found"),
        ("subscribe", {"channel": "executions"}, "EAPI:Invalid token"),
        ("subscribe", {"channel": "balances", "token": 7}, "EAPI:Invalid token"),
        ("subscribe", {"channel": "balances", "token": "x" * 50_000}, "EAPI:Invalid token"),
        ("add_order", {"order_type": "market"}, "EAPI:Invalid token"),
        ("cancel_all", {"token": None}, "EAPI:Invalid token"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_the_protocols_words(method, params, error):
    async def scene():
        async with opened() as socket:
            frame = await socket.ask(method, **params)
            assert (frame["success"], frame["error"]) == (False, error)
            assert (await socket.ask("ping"))["method"] == "pong"

    played(scene)


def test_binary_frames_end_it():
    async def scene():
        async with opened() as socket:
            socket.send_bytes(b'{"method":"ping"}')
            assert (await socket.end()).code == 1003

    played(scene)


def test_a_frame_that_is_too_long_ends_it():
    async def scene():
        async with opened() as socket:
            socket.send_text('{"method":"ping","params":{"x":"' + "x" * 70_000 + '"}}')
            assert (await socket.end()).code == 1009

    played(scene)


@override_settings(STREAM_IDLE=0.5)
def test_a_socket_that_asks_for_nothing_is_closed_and_one_that_subscribed_is_not():
    async def scene():
        async with opened() as idle, opened() as busy:
            await busy.ask("subscribe", channel="ticker", symbol=["BTC/USD"])
            assert (await idle.end()).code == 1001
            assert await busy.frame(channel="heartbeat") == {"channel": "heartbeat"}
            assert (await busy.ask("ping"))["method"] == "pong"

    played(scene)


@pytest.mark.parametrize(("path", "scheme"), [("/v1", "wss"), ("/", "wss"), ("/v2/", "wss"), ("/v2", "ws")])
def test_other_paths_and_plain_text_are_refused_before_anything_opens(path, scheme):
    async def scene():
        with pytest.raises(Closed) as refused:
            async with opened(path=path, scheme=scheme):
                pass
        assert refused.value.code == 403

    played(scene)
