"""Orders on a whole socket: each answer a frame, and what they do told to the sockets that follow the Account."""

import pytest
from asgiref.sync import sync_to_async

from accounts.api_keys import lifecycle
from accounts.models import ServiceUser
from tests.api.stream.sockets import opened, played
from tests.api.stream.streaming_bots import streaming, subscribed, token_of

pytestmark = pytest.mark.django_db(transaction=True)

FAR = {"order_type": "limit", "side": "buy", "symbol": "BTC/USD", "order_qty": 0.01, "limit_price": 10000}


@pytest.fixture
def token(trading_bot):
    return token_of(streaming(trading_bot))


def test_each_cancelled_order_is_answered_in_a_frame_with_the_requests_number(token):
    async def scene():
        async with opened() as socket:
            await socket.next()
            placed = [(await socket.ask("add_order", token=token, **FAR))["result"]["order_id"] for _ in range(2)]
            wanted = [placed[0], "OAAAAA-AAAAA-AAAAAA", placed[1]]
            socket.send(method="cancel_order", params={"order_id": wanted, "token": token}, req_id=9)
            frames = [await socket.frame(req_id=9) for _ in range(3)]
            assert {frame["method"] for frame in frames} == {"cancel_order"}
            assert [frame["success"] for frame in frames] == [True, False, True]
            assert [frame.get("result") for frame in frames] == [{"order_id": placed[0]}, None, {"order_id": placed[1]}]
            assert frames[1]["error"] == "EOrder:Unknown order"
            assert (await socket.ask("cancel_all", token=token))["result"] == {"count": 0}
            assert (await socket.ask("amend_order", token=token))["error"] == "EGeneral:Unknown method"

    played(scene)


def test_orders_of_one_socket_are_told_on_the_others_of_the_account_and_on_no_other(token, world):
    theirs = token_of(streaming(world.bot("eve-bot")))

    async def scene():
        async with opened() as trader, opened() as follower, opened() as eve:
            for socket in (trader, follower, eve):
                await socket.next()
            await subscribed(follower, "executions", token)
            await subscribed(eve, "executions", theirs)
            placed = (await trader.ask("add_order", token=token, **FAR, cl_ord_id="mine-1"))["result"]
            await trader.ask("cancel_order", token=token, cl_ord_id=["mine-1"])
            rows = [(await follower.frame(channel="executions"))["data"] for _ in range(3)]
            assert [row["exec_type"] for (row,) in rows] == ["pending_new", "new", "canceled"]
            assert {(row["order_id"], row["cl_ord_id"]) for (row,) in rows} == {(placed["order_id"], "mine-1")}
            await eve.nothing(channel="executions")

    played(scene)


def test_a_key_that_was_narrowed_trades_no_more_on_an_open_socket(token, trading_bot):
    def narrow():
        held = [name for name in trading_bot.service_user.permissions if name != "modify-trades"]
        ServiceUser.objects.filter(pk=trading_bot.service_user.pk).update(permissions=held)
        lifecycle.touch(trading_bot.service_user)

    async def scene():
        async with opened() as socket:
            await socket.next()
            assert (await socket.ask("add_order", token=token, **FAR))["success"]
            await sync_to_async(narrow)()
            assert (await socket.ask("add_order", token=token, **FAR))["error"] == "EGeneral:Permission denied"
            assert (await socket.ask("cancel_all", token=token))["result"] == {"count": 1}

    played(scene)


def test_nothing_trades_without_a_token_of_the_sockets_key(token, world):
    theirs = token_of(streaming(world.bot("eve-bot")))

    async def scene():
        async with opened() as socket:
            await socket.next()
            for wrong in ({}, {"token": "x"}, {"token": 7}, {"token": None}):
                frame = await socket.ask("add_order", **FAR, **wrong)
                assert (frame["success"], frame["error"]) == (False, "EAPI:Invalid token")
            assert (await socket.ask("add_order", token=token, **FAR))["success"]
            assert (await socket.ask("cancel_all", token=theirs))["error"] == "EAPI:Invalid token"
            assert (await socket.ask("cancel_all", token=token))["result"] == {"count": 1}

    played(scene)
