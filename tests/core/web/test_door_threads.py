"""The threads behind the door: what they answer, raise, leave undone and finish."""

import asyncio
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from portal.core.web.door.threads import Threads

WAIT = 5.0


def noted(done: list[str], what: str) -> str:
    """Work that says afterwards that it was done."""
    done.append(what)
    return what


@pytest.fixture
def threads() -> Iterator[Threads[str]]:
    made = Threads[str](2, "hand")
    yield made
    made.end()


def test_none_begins_before_the_first_work_and_no_more_than_so_many_do(threads: Threads[str]) -> None:
    def names() -> set[str]:
        return {thread.name for thread in threading.enumerate() if thread.name.startswith("hand_")}

    assert not names()

    async def many() -> list[str]:
        return await asyncio.gather(*(threads.run(lambda: threading.current_thread().name) for _ in range(50)))

    assert set(asyncio.run(many())) <= names()
    assert names() == {"hand_0", "hand_1"}


def test_an_error_is_that_of_who_asked(threads: Threads[str]) -> None:
    def fails() -> str:
        raise KeyError("the reason")

    async def both() -> str:
        with pytest.raises(KeyError, match="the reason"):
            await threads.run(fails)
        return await threads.run(lambda: "and it goes on")

    assert asyncio.run(both()) == "and it goes on"


def test_what_nobody_waits_for_any_more_is_not_begun(threads: Threads[str]) -> None:
    go_on, done = threading.Event(), list[str]()

    def busy() -> str:
        assert go_on.wait(WAIT)
        return "busy"

    async def scene() -> list[str]:
        held = [threads.run(busy) for _ in range(2)]
        given_up = threads.run(partial(noted, done, "given up"))
        given_up.cancel()
        last = threads.run(partial(noted, done, "last"))
        go_on.set()
        return [*(await asyncio.gather(*held)), await last]

    assert asyncio.run(scene()) == ["busy", "busy", "last"]
    assert done == ["last"]


def test_who_stops_waiting_while_it_is_done_disturbs_nobody(threads: Threads[str]) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        assert go_on.wait(WAIT)
        return "slow"

    async def scene() -> str:
        given_up = threads.run(slow)
        assert await asyncio.to_thread(begun.wait, WAIT)
        given_up.cancel()
        go_on.set()
        return await threads.run(lambda: "next")

    assert asyncio.run(scene()) == "next"


def test_a_loop_that_has_ended_takes_no_thread_with_it(threads: Threads[str]) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        assert go_on.wait(WAIT)
        return "slow"

    async def leaves() -> None:
        threads.run(slow)
        assert await asyncio.to_thread(begun.wait, WAIT)

    async def comes() -> list[str]:
        return await asyncio.gather(*(threads.run(lambda: "there") for _ in range(4)))

    asyncio.run(leaves())
    go_on.set()
    assert asyncio.run(comes()) == ["there"] * 4


def test_what_was_handed_in_is_done_before_the_end(threads: Threads[str]) -> None:
    done = list[str]()

    async def leaves() -> None:
        for turn in range(20):
            threads.run(partial(noted, done, str(turn)))

    asyncio.run(leaves())
    threads.end()
    assert sorted(done, key=int) == [str(turn) for turn in range(20)]
