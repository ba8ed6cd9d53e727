"""Whoever follows journals is woken soon after each commit, and looks everywhere anyhow."""

import asyncio
import gc
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, Queue
from types import SimpleNamespace
from typing import NoReturn

import pytest
from django.db import OperationalError, connection, transaction

from portal.venues.journal import wakeup
from portal.venues.journal.writing import note
from tests.venues.conftest import open_account, together
from tests.venues.journal.following import names, news

pytestmark = pytest.mark.django_db(transaction=True)
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="NOTIFY is PostgreSQL's")
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="data_version is SQLite's")
LISTENING = "FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN journal'"


class Heard(Queue[frozenset[int] | None]):
    """Every look that was asked for, in its order."""

    def until(self, wanted: frozenset[int] | None, seconds: float = 5.0) -> float:
        """Wait for that one, and say how many seconds it took."""
        began = time.monotonic()
        while True:
            try:
                if self.get(timeout=seconds) == wanted:
                    return time.monotonic() - began
            except Empty:
                pytest.fail(f"nobody was told to look at {wanted}")


@contextmanager
def listening() -> Iterator[Heard]:
    """Somebody listens in a loop of their own, as a server does, and has begun to."""
    heard, begun = Heard(), Queue[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]]()

    async def listen() -> None:
        task: asyncio.Task[None] = asyncio.create_task(wakeup.listen(heard.put))
        begun.put((asyncio.get_running_loop(), task))
        with suppress(asyncio.CancelledError):
            await task

    thread = threading.Thread(target=lambda: asyncio.run(listen()))
    thread.start()
    loop, task = begun.get()
    try:
        heard.until(None)
        yield heard
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()


@pytest.fixture
def quiet(monkeypatch):
    """Nobody looks everywhere without a reason, so that what wakes them is seen."""
    monkeypatch.setattr(wakeup, "EVERYWHERE_EVERY", 60.0)


def happen(account, name="a"):
    with transaction.atomic():
        note(account.pk, news(name))


def listeners():
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pid {LISTENING}")
        return [pid for (pid,) in cursor.fetchall()]


@on_postgresql
@pytest.mark.postgresql
def test_a_commit_wakes_within_a_fraction_of_a_second(quiet):
    first, second = open_account(), open_account()
    with listening() as heard:
        for account in (first, second, first):
            happen(account)
            assert heard.until(frozenset({account.pk})) < 0.5
        together(lambda: happen(second), lambda: happen(second))
        heard.until(frozenset({second.pk}))
    ends = time.monotonic() + 5
    while listeners() and time.monotonic() < ends:
        time.sleep(0.05)
    assert listeners() == [], "who stops listening leaves no connection behind"


@on_postgresql
@pytest.mark.postgresql
def test_what_is_rolled_back_wakes_nobody(quiet):
    account, other = open_account(), open_account()
    with listening() as heard:
        with suppress(ValueError), transaction.atomic():
            note(account.pk, news())
            raise ValueError
        happen(other)
        assert heard.get(timeout=5) == frozenset({other.pk})


@on_postgresql
@pytest.mark.postgresql
def test_a_connection_that_is_ended_is_made_anew_and_everything_looked_at(quiet):
    account = open_account()
    with listening() as heard:
        for _ in range(2):
            happen(account)
            heard.until(frozenset({account.pk}))
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT pg_terminate_backend(pid) {LISTENING}")
                assert cursor.rowcount >= 1
            assert heard.until(None) < 1
            happen(account)
            assert heard.until(frozenset({account.pk})) < 0.5


@on_postgresql
@pytest.mark.postgresql
def test_what_else_is_said_on_the_channel_hurts_nobody(quiet):
    account = open_account()
    with listening() as heard:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify('journal', ''), pg_notify('journal', 'DROP'), pg_notify('journal', '²')")
        happen(account)
        heard.until(frozenset({account.pk}))


@on_postgresql
@pytest.mark.postgresql
def test_an_operation_that_has_committed_does_not_fail_because_nobody_could_be_woken(monkeypatch):
    account, tried = open_account(), []

    def fail(*_args):
        tried.append(1)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(wakeup, "fetch", fail)
    happen(account)
    assert tried == [1]
    assert names(account) == ["a"]


@on_sqlite
def test_a_commit_of_another_connection_is_noticed(quiet):
    account = open_account()
    with listening() as heard:
        for name in "abc":
            happen(account, name)
            assert heard.until(None) < 0.5
        time.sleep(0.3)
        assert heard.empty(), "nobody looks where nothing was committed"
        with suppress(ValueError), transaction.atomic():
            note(account.pk, news())
            raise ValueError
        time.sleep(0.3)
        assert heard.empty(), "what is rolled back wakes nobody"


def test_everything_is_looked_at_again_and_again_whatever_happens(monkeypatch):
    assert wakeup.EVERYWHERE_EVERY <= 1
    monkeypatch.setattr(wakeup, "EVERYWHERE_EVERY", 0.05)
    with listening() as heard:
        for _ in range(5):
            assert heard.until(None) < 0.5


def test_a_database_that_is_away_is_tried_again_after_pauses_that_grow(monkeypatch, caplog):
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 8:
            raise asyncio.CancelledError

    async def away(_look: wakeup.Look) -> NoReturn:
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio, "sleep", pause)
    with suppress(asyncio.CancelledError):
        asyncio.run(wakeup._again_and_again(away, Heard().put))
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0]
    assert caplog.text.count("No wake-ups") == 1, "it is said once"


def test_a_connection_that_lasted_is_made_anew_at_once_and_one_that_took_long_to_fail_is_not(monkeypatch):
    """A host that vanished lets each try run into its time-out."""
    pauses: list[float] = []
    monkeypatch.setattr(wakeup, "LONGEST_PAUSE", 0.2)
    real = asyncio.sleep

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 4:
            raise asyncio.CancelledError

    async def fail(look: wakeup.Look) -> NoReturn:
        if len(pauses) == 2:
            look(None)
        await real(0.3)
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio, "sleep", pause)
    with suppress(asyncio.CancelledError):
        asyncio.run(wakeup._again_and_again(fail, Heard().put))
    assert pauses == [0.1, 0.2, wakeup.SHORTEST_PAUSE, 0.1]


def test_a_connection_that_is_given_up_while_it_is_made_is_closed_at_once(monkeypatch):
    """The server would wait for it, and for as long nobody could take its database away."""

    async def scene() -> bytes:
        came, gone = asyncio.Event(), asyncio.get_running_loop().create_future()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(8)
            came.set()
            gone.set_result(await reader.read())
            writer.close()

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()[:2]
        given = {"host": host, "port": port, "user": "nobody", "dbname": "none", "sslmode": "disable"}
        there = SimpleNamespace(vendor="postgresql", get_connection_params=lambda: given)
        monkeypatch.setattr(wakeup, "connection", there)
        listening = asyncio.create_task(wakeup.listen(lambda woken: None))
        await asyncio.wait_for(came.wait(), 5)
        listening.cancel()
        await asyncio.wait([listening])
        async with server:
            return await asyncio.wait_for(gone, 5)

    gc.disable()
    try:
        asyncio.run(scene())
    finally:
        gc.enable()
