"""What happens to an Account reaches each of its sockets once and in order, whoever did it and whatever was lost."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction
from django.utils import timezone

from portal.venues.journal import wakeup
from portal.venues.journal.models import JournalEntry
from portal.venues.paper import funding
from tests.api.calls import Wire
from tests.api.stream.sockets import opened, played
from tests.api.stream.streaming_bots import streaming, subscribed, token_of

pytestmark = pytest.mark.django_db(transaction=True)
_references = count(1)


@pytest.fixture
def bot(world):
    return streaming(world.bot("treasury-bot"))


def deposit(bot, amount: str, asset: str = "USD") -> None:
    funding.deposit(bot.service_user.account_id, asset, Decimal(amount), reference=f"streamed-{next(_references)}")


def market_order(bot, volume: str = "0.01") -> str:
    (txid,) = Wire(bot).result("AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume=volume)["txid"]
    return str(txid)


def test_a_deposit_moves_the_balance_on_every_socket_of_the_account(bot):
    async def scene():
        token = await sync_to_async(token_of)(bot)
        async with opened() as one, opened() as other:
            before = 0.0
            for socket in (one, other):
                snapshot = await subscribed(socket, "balances", token)
                (before,) = [row["balance"] for row in snapshot["data"] if row["asset"] == "USD"]
            await sync_to_async(deposit)(bot, "125.5")
            for socket in (one, other):
                frame = await socket.frame(channel="balances", type="update", within=1.5)
                (row,) = frame["data"]
                assert (frame["sequence"], row["asset"], row["type"], row["amount"]) == (2, "USD", "deposit", 125.5)
                assert row["balance"] == pytest.approx(before + 125.5)
                await socket.nothing(channel="balances")

    played(scene)


def test_an_order_of_rest_is_told_from_its_placing_to_its_fills(bot):
    async def scene():
        token = await sync_to_async(token_of)(bot)
        async with opened() as socket:
            await subscribed(socket, "executions", token)
            txid = await sync_to_async(market_order)(bot)
            kinds, sequence = list[str](), 1
            while not kinds or kinds[-1] != "filled":
                frame = await socket.frame(channel="executions", within=1.5)
                sequence += 1
                assert frame["sequence"] == sequence
                for row in frame["data"]:
                    assert (row["order_id"], row["symbol"]) == (txid, "BTC/USD")
                    kinds.append(row["order_status"])
            assert kinds[:2] == ["pending_new", "new"]

    played(scene)


def test_an_order_by_socket_is_answered_and_told(bot):
    async def scene():
        token = await sync_to_async(token_of)(bot)
        async with opened() as socket:
            await subscribed(socket, "executions", token)
            socket.send(
                method="add_order", req_id=9,
                params={"token": token, "order_type": "limit", "side": "buy", "symbol": "BTC/USD", "order_qty": 0.01,
                        "limit_price": 10000, "cl_ord_id": "mine-1"},
            )  # fmt: skip
            answer = await socket.frame(req_id=9)
            assert answer["success"], answer
            txid = answer["result"]["order_id"]
            cancelled = await socket.ask("cancel_order", order_id=[txid], token=token)
            assert cancelled["result"]["order_id"] == txid
            frame = await socket.frame(channel="executions", within=1.5)
            while frame["data"][0]["exec_type"] != "canceled":
                frame = await socket.frame(channel="executions", within=1.5)
            assert frame["data"][0]["order_id"] == txid

    played(scene)


def test_what_happened_while_a_socket_joined_is_told_once(bot):
    """Deposits go on while sockets join: each snapshot and what follows it add up to the ledger."""

    async def scene():
        token = await sync_to_async(token_of)(bot)

        async def watch() -> None:
            async with opened() as socket:
                snapshot = await subscribed(socket, "balances", token)
                (balance,) = [row["balance"] for row in snapshot["data"] if row["asset"] == "USD"]
                last = start + 20
                while balance < last:
                    frame = await socket.frame(channel="balances", type="update")
                    for row in frame["data"]:
                        balance += row["amount"]
                        assert row["balance"] == pytest.approx(balance)
                assert balance == pytest.approx(last)
                await socket.nothing(channel="balances")

        async with opened() as first:
            snapshot = await subscribed(first, "balances", token)
            (start,) = [row["balance"] for row in snapshot["data"] if row["asset"] == "USD"]
            watching = []
            for turn in range(20):
                if turn % 5 == 0:
                    watching.append(asyncio.create_task(watch()))
                await sync_to_async(deposit)(bot, "1")
            await asyncio.gather(*watching)

    played(scene)


def test_a_lost_wake_up_costs_time_and_no_event(bot, monkeypatch):
    monkeypatch.setattr(wakeup, "wake", lambda account_id: None)

    async def scene():
        token = await sync_to_async(token_of)(bot)
        async with opened() as socket:
            await subscribed(socket, "balances", token)
            for _ in range(3):
                await sync_to_async(deposit)(bot, "1")
            for sequence in (2, 3, 4):
                assert (await socket.frame(channel="balances", within=2.5))["sequence"] == sequence

    played(scene)


def test_a_resting_order_is_filled_and_told_although_nobody_asks(bot, settings, tmp_path):
    prices = tmp_path / "prices.csv"
    now = timezone.now()
    lines = [
        f"{(now - timedelta(hours=1)):%Y-%m-%dT%H:%M:%SZ},XXBTZUSD,60000",
        f"{(now + timedelta(seconds=3)):%Y-%m-%dT%H:%M:%SZ},XXBTZUSD,50000",
    ]
    prices.write_text("\n".join(lines) + "\n")
    settings.PAPER_PRICES = f"csv:{prices}"

    def limit_order() -> str:
        asked = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "55000", "volume": "0.001"}
        (txid,) = Wire(bot).result("AddOrder", **asked)["txid"]
        return str(txid)

    async def scene():
        token = await sync_to_async(token_of)(bot)
        async with opened() as socket:
            await subscribed(socket, "executions", token)
            txid = await sync_to_async(limit_order)()
            frame = await socket.frame(channel="executions", within=5)
            while frame["data"][0]["exec_type"] not in {"trade", "filled"}:
                frame = await socket.frame(channel="executions", within=6)
            assert frame["data"][0]["order_id"] == txid

    played(scene)


def test_whoever_is_further_behind_than_the_journal_goes_back_begins_anew(bot):
    def deposits_that_nobody_kept() -> None:
        with transaction.atomic():
            for _ in range(2):
                deposit(bot, "1")
            JournalEntry.objects.all().delete()

    async def scene():
        token = await sync_to_async(token_of)(bot)
        async with opened() as socket:
            await subscribed(socket, "balances", token)
            await sync_to_async(deposits_that_nobody_kept)()
            ended = await socket.end(within=3)
            assert ended.code == 1013

    played(scene)


def test_nothing_of_next_door_is_told_whatever_is_subscribed(bot, world):
    """Both Organizations listen to everything that a key opens, and one of them acts."""
    neighbour = streaming(world.bot("eve-bot"))

    async def scene():
        mine, theirs = await sync_to_async(token_of)(bot), await sync_to_async(token_of)(neighbour)
        async with opened() as here, opened() as there:
            for socket, token in ((here, mine), (there, theirs)):
                for channel in ("balances", "executions"):
                    await subscribed(socket, channel, token)
            txid = await sync_to_async(market_order)(bot)
            await here.frame(channel="balances", type="update", within=1.5)
            await there.nothing(channel="balances", during=1.2)
            await there.nothing(channel="executions", during=0.2)
            cancelled = await there.ask("cancel_order", order_id=[txid], token=theirs)
            assert cancelled["error"] == "EOrder:Unknown order"
            assert (await there.ask("cancel_all", token=theirs))["result"] == {"count": 0}

    played(scene)
