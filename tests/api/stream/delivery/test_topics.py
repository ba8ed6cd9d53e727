"""Public channels when something goes wrong, or when all of it comes at the same moment."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError

from portal.api.stream.delivery import markets
from portal.api.stream.delivery.markets import Markets, Public, Topic
from tests.api.stream.sockets import opened, played

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_subscription_that_failed_may_be_asked_for_again(monkeypatch):
    def fails(*args: object) -> None:
        raise OperationalError("the connection is closed")

    async def scene():
        async with opened() as socket:
            with monkeypatch.context() as patch:
                patch.setattr(Topic, "snapshot", fails)
                assert (await socket.ask("subscribe", channel="ticker", symbol=["BTC/USD"]))["success"]
                assert not (await socket.frame(req_id=7))["success"]
            assert (await socket.ask("subscribe", channel="ticker", symbol=["BTC/USD"]))["success"]
            assert await socket.frame(channel="ticker", type="snapshot")

    played(scene)


def test_a_channel_that_cannot_be_worked_out_holds_up_no_other(monkeypatch):
    really = Topic.step

    def step(self: Topic, venue: Any) -> Any:
        if self.name == "book" and self.state is not None:
            raise ZeroDivisionError
        return really(self, venue)

    monkeypatch.setattr(Topic, "step", step)

    async def scene():
        async with opened() as socket:
            assert (await socket.ask("subscribe", channel="book", symbol=["BTC/USD"]))["success"]
            assert (await socket.ask("subscribe", channel="ticker", symbol=["BTC/USD"], event_trigger="bbo"))["success"]
            for _ in range(2):
                await socket.frame(channel="ticker", type="update")

    played(scene)


def test_a_topic_that_somebody_waits_to_join_is_kept(monkeypatch):
    """One has just left while it was joining, and the next one for it is not there yet, when topics are looked at."""
    heard: list[str] = []
    listened = SimpleNamespace(say=heard.append)

    async def scene():
        gate, worked_out = asyncio.Event(), asyncio.get_running_loop().create_future()

        async def sleep(_: float) -> None:
            await gate.wait()
            gate.clear()

        async def run(work: Any, *_: object) -> Any:
            if work.__name__ == "step":
                return [{"symbol": "BTC/USD"}]
            await worked_out
            return [], []

        monkeypatch.setattr(markets, "asyncio", SimpleNamespace(sleep=sleep))
        monkeypatch.setattr(markets, "run_prices", run)
        monkeypatch.setattr(markets, "shown", lambda: None)
        found = Markets()
        telling = asyncio.create_task(found.tell())
        one, other = (Public(listened, "ticker", found.topic("ticker", None, "all")) for _ in range(2))  # type: ignore[arg-type]
        joining = [asyncio.create_task(found.join(each, with_snapshot=False)) for each in (one, other)]
        await asyncio.sleep(0)
        one.end()
        worked_out.set_result(None)
        gate.set()
        await asyncio.gather(*joining)
        gate.set()
        for _ in range(5):
            await asyncio.sleep(0)
        telling.cancel()

    asyncio.run(scene())
    assert heard
