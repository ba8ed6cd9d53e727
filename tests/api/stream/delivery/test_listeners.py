"""One journal, several who listen: each is told from its own place on, whatever becomes of the others."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from portal.api.stream.delivery import feeds
from portal.api.stream.delivery.feeds import Feeds
from portal.api.stream.delivery.subscription import Private
from portal.venues.journal import reading
from portal.venues.journal.reading import Journalled, Lost

ACCOUNT = 5


class Reader:
    """A socket that writes down which events it was told, and how it was closed."""

    def __init__(self, feed: Feeds, place: int, *, cannot_be_told: int = 0) -> None:
        self.numbers: list[int] = []
        self.code = 0
        self.cannot_be_told = cannot_be_told
        self.listener = Private(
            connection=self,  # type: ignore[arg-type]
            channel="balances",
            label="balances",
            account_id=ACCOUNT,
            options=None,
            leave=feed.leave,
            told=self.told,
            place=place,
        )
        feed.join(self.listener, "paper")

    def told(self, event: Any) -> list[Any]:
        if event.number == self.cannot_be_told:
            raise ValueError(event)
        self.numbers.append(event.number)
        return []

    def close(self, code: int, reason: str) -> None:
        self.code = code


def journalled(first: int, last: int) -> list[Journalled]:
    return [Journalled(number, SimpleNamespace(number=number)) for number in range(first, last + 1)]  # type: ignore[arg-type]


@pytest.fixture
def journal(monkeypatch):
    """Events up to 60; what is read is changed by `read`, which is called in the event loop before each answer."""
    given = SimpleNamespace(read=lambda after: journalled(after + 1, 60))

    async def run(work: Any, account_id: int, after: int, *_: object) -> Any:
        assert work is reading.events
        found = given.read(after)
        await asyncio.sleep(0)
        return found

    monkeypatch.setattr(feeds, "run_news", run)
    monkeypatch.setattr(feeds, "venue", lambda name: name)
    return given


def delivered(scene: Callable[[Feeds], None]) -> None:
    """Play the scene, and let everything be delivered."""

    async def whole() -> None:
        feed = Feeds()
        scene(feed)
        delivering = asyncio.create_task(feed.deliver())
        for _ in range(50):
            await asyncio.sleep(0)
        assert not delivering.done() or delivering.result()
        delivering.cancel()

    asyncio.run(whole())


def test_whoever_joins_from_further_back_while_others_are_read_misses_nothing(journal):
    late: list[Reader] = []

    def scene(feed: Feeds) -> None:
        def read(after: int) -> list[Journalled]:
            if not late:
                late.append(Reader(feed, 40))
            return journalled(after + 1, 60)

        journal.read = read
        early.append(Reader(feed, 50))

    early: list[Reader] = []
    delivered(scene)
    assert early[0].numbers == list(range(51, 61))
    assert late[0].numbers == list(range(41, 61))


def test_whoever_is_ahead_of_what_is_lost_is_told_all_from_its_own_place(journal):
    readers: list[Reader] = []

    def scene(feed: Feeds) -> None:
        def read(after: int) -> list[Journalled]:
            if len(readers) == 1:
                readers.extend([Reader(feed, 52), Reader(feed, 57)])
            if after < 51:
                raise Lost
            return journalled(after + 1, 60)

        journal.read = read
        readers.append(Reader(feed, 50))

    delivered(scene)
    assert [reader.code for reader in readers] == [1013, 0, 0]
    assert [reader.numbers for reader in readers] == [[], list(range(53, 61)), [58, 59, 60]]


def test_what_cannot_be_told_to_one_closes_it_and_is_told_to_the_others(journal):
    readers: list[Reader] = []

    def scene(feed: Feeds) -> None:
        readers.extend(Reader(feed, 50, cannot_be_told=number) for number in (0, 53, 0))

    delivered(scene)
    assert [reader.code for reader in readers] == [0, 1011, 0]
    assert [reader.numbers for reader in readers] == [list(range(51, 61)), [51, 52], list(range(51, 61))]


def test_a_journal_that_cannot_be_understood_ends_its_own_sockets_only(journal):
    readers: list[Reader] = []

    def scene(feed: Feeds) -> None:
        def read(after: int) -> list[Journalled]:
            raise TypeError("no event at all")

        journal.read = read
        readers.append(Reader(feed, 50))

    delivered(scene)
    assert readers[0].code == 1013
