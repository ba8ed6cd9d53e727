"""Several hosts in DATABASE_URL: whoever asks finds the one that takes changes, also after it is another one."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from queue import Queue
from threading import Thread
from typing import Final
from urllib.parse import quote

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, InternalError, OperationalError, connections

from portal.core.database.at_hand import tidy
from portal.core.database.outage import is_away
from portal.core.database.postgresql import hosts, standby
from portal.core.database.postgresql.primary import Primary, primary
from portal.core.database.prepared import fetch
from portal.venues.journal import wakeup
from tests.core.database.two_servers import SECONDS, at, following, reached, settled, soon
from tests.postgresql_server import PostgresqlServer

PASSWORD: Final = "p@:/?#[]%,&= w"
THREADS: Final = 8


def test_of_several_hosts_the_one_that_takes_changes_is_meant():
    found = settled(f"postgres://u:{quote(PASSWORD, safe='')}@h1:5432,h2:5433/portal?connect_timeout=1")
    assert (found["HOST"], found["PORT"], found["PASSWORD"]) == ("h1,h2", "5432,5433", PASSWORD)
    assert (found["OPTIONS"]["target_session_attrs"], found["OPTIONS"]["connect_timeout"]) == ("read-write", 1)
    assert settled("postgres://u:p@h1,h2/portal?target_session_attrs=any")["OPTIONS"]["target_session_attrs"] == "any"
    assert "target_session_attrs" not in settled("postgres://u:p@h1/portal")["OPTIONS"]
    assert settled("postgres://u:p@[::1]:5432,[::2]:5433/portal")["HOST"] == "::1,::2"
    assert settled("postgres://u:p@h1,h2/portal")["PORT"] == ""


@pytest.mark.parametrize("where", ["h1:5432,h2", "h1,h2:5433"])
def test_whose_port_it_is_has_to_be_plain(where):
    """Given to both it would lead to another server than the one that was meant."""
    with pytest.raises(ImproperlyConfigured, match="port of each"):
        settled(f"postgres://u:p@{where}/portal")


def test_the_order_changes_and_no_port_goes_astray():
    given = {"host": "a,b,c", "port": "1,2,3", "dbname": "portal"}
    assert hosts.beginning_with(given, ("b", "2")) == {"host": "b,a,c", "port": "2,1,3", "dbname": "portal"}
    assert hosts.beginning_with(given, None) == given
    assert hosts.beginning_with({"host": "a,b"}, ("b", "")) == {"host": "b,a"}


@pytest.fixture(autouse=True)
def _nothing_is_known_from_before(monkeypatch, django_db_blocker):
    for name, value in vars(Primary()).items():
        monkeypatch.setattr(primary, name, value)
    # Of the portal's own database nothing is asked.
    with django_db_blocker.unblock():
        yield
    # Whoever still looks finds nothing any more.
    primary._found.set()


@pytest.fixture
def two() -> Iterator[tuple[PostgresqlServer, PostgresqlServer]]:
    with following() as two:
        yield two


def ports_of_both_roads() -> set[int]:
    """Where Django's cursor and the hot statements end up."""
    asks = "SELECT setting::int FROM pg_settings WHERE name = 'port'"
    with connections["default"].cursor() as cursor:
        cursor.execute(asks)
        (port,) = cursor.fetchone()
    # Prepared from the sixth time on.
    return {port, *(fetch(asks, {})[0][0] for _ in range(8))}


def write(word: str) -> None:
    fetch("INSERT INTO kept VALUES (%(word)s)", {"word": word})


@pytest.mark.slow
def test_both_roads_lead_to_the_primary_wherever_it_stands(two):
    first, second = two
    for order in (two, two[::-1]):
        with reached(*order):
            assert ports_of_both_roads() == {first.port}
    first.crash()
    second.promote()
    for order in (two, two[::-1]):
        with reached(*order):
            assert ports_of_both_roads() == {second.port}


@pytest.mark.slow
def test_a_password_may_hold_any_letter(two):
    first, _ = two
    with psycopg.connect(first.url("postgres"), autocommit=True) as raw:
        raw.execute(f"CREATE ROLE careful LOGIN PASSWORD '{PASSWORD}'")
    rules = first.folder / "data/pg_hba.conf"
    rules.write_text("host all careful 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
    with psycopg.connect(first.url("postgres"), autocommit=True) as raw:
        raw.execute("SELECT pg_reload_conf()")
    soon(lambda: is_refused(first))
    with reached(*two, user=f"careful:{quote(PASSWORD, safe='')}"):
        assert ports_of_both_roads() == {first.port}


def is_refused(server: PostgresqlServer) -> bool:
    try:
        psycopg.connect(server.url("postgres"), user="careful", password="wrong").close()
    except psycopg.OperationalError:
        return True
    return False


@pytest.mark.slow
def test_after_a_failover_every_thread_goes_on_at_the_new_primary_and_none_fails_for_it(two):
    """fault operations-F12: what was closed is noticed before anything is sent."""
    first, second = two
    told: Queue[object] = Queue()
    go: list[Queue[str]] = [Queue() for _ in range(THREADS)]

    def answer_calls(mine: Queue[str]) -> None:
        with reached(first, second):
            while word := mine.get():
                tidy()
                try:
                    write(word)
                    told.put(ports_of_both_roads())
                except Error as error:
                    told.put(error if not is_away(error) else "away")
                finally:
                    tidy()

    threads = [Thread(target=answer_calls, args=(mine,), daemon=True) for mine in go]
    for thread in threads:
        thread.start()

    def all_say(word: str) -> list[object]:
        for mine in go:
            mine.put(word)
        return [told.get(timeout=SECONDS) for _ in threads]

    assert all_say("at the first") == [{first.port}] * THREADS
    soon(lambda: second.is_even_with(first))
    first.crash()
    assert all_say("nowhere") == ["away"] * THREADS
    assert all_say("nowhere") == ["away"] * THREADS
    second.promote()
    soon(lambda: not primary.is_away())
    assert all_say("at the second") == [{second.port}] * THREADS
    all_end(go, threads)
    with reached(second), connections["default"].cursor() as cursor:
        cursor.execute("SELECT word, count(*) FROM kept GROUP BY word")
        assert dict(cursor.fetchall()) == {"before": 1, "at the first": THREADS, "at the second": THREADS}


def all_end(go: list[Queue[str]], threads: list[Thread]) -> None:
    for mine in go:
        mine.put("")
    for thread in threads:
        thread.join(SECONDS)


@pytest.mark.slow
def test_a_primary_that_takes_no_changes_any_more_is_left_after_one_failed_call(two):
    first, second = two
    with reached(first, second):
        write("one")
        with psycopg.connect(first.url("postgres"), autocommit=True) as raw:
            raw.execute("ALTER SYSTEM SET default_transaction_read_only = on")
            raw.execute("SELECT pg_reload_conf()")
            soon(lambda: raw.execute("SHOW default_transaction_read_only").fetchone() == ("on",))
        second.promote()
        with pytest.raises(InternalError) as failed:
            soon_fails()
        assert is_away(failed.value)
        tidy()
        write("two")
        assert ports_of_both_roads() == {second.port}


def soon_fails() -> None:
    """The server tells a session of a changed setting between two statements, at its leisure."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        write("perhaps")
        time.sleep(0.01)


@pytest.mark.slow
def test_only_who_says_so_reads_from_a_standby_and_nobody_writes_there(two):
    first, second = two
    first.stop()
    with reached(first, second):
        with pytest.raises(OperationalError):
            fetch("SELECT 1", {})
        with standby.serving():
            assert fetch("SELECT word FROM kept", {}) == [("before",)]
            assert standby.is_read()
            with pytest.raises(InternalError) as failed:
                write("never")
            assert is_away(failed.value)
        tidy()
        # Nothing is left of it for who comes next.
        assert connections["default"].connection is None
        # The process looks at its hosts by itself, and knows of this one when it has answered.
        soon(standby.is_read_only)
        assert not standby.is_read()
        with pytest.raises(OperationalError):
            fetch("SELECT 1", {})
        second.promote()
        soon(lambda: not primary.is_away())
        with standby.serving():
            assert not standby.is_read_only()
            write("again")


@pytest.mark.slow
def test_a_host_that_is_silent_is_waited_for_once_and_not_by_everybody(two):
    """fault operations-F2: packets that are dropped hold whoever connects, for `connect_timeout` each time."""
    first, second = two
    with ExitStack() as silent:
        first.stop()
        # Whoever connects there is never answered.
        silent.enter_context(socket.create_server(("127.0.0.1", first.port)))
        with reached(first, second):
            with pytest.raises(OperationalError):
                fetch("SELECT 1", {})
            soon(lambda: primary.standby)
            began = time.monotonic()
            for _ in range(20):
                with pytest.raises(OperationalError):
                    fetch("SELECT 1", {})
                with standby.serving():
                    assert fetch("SELECT word FROM kept", {}) == [("before",)]
            assert time.monotonic() - began < 2
            second.promote()
            soon(lambda: not primary.is_away())
            began = time.monotonic()
            assert ports_of_both_roads() == {second.port}
            assert time.monotonic() - began < 1


@pytest.mark.slow
def test_whoever_is_woken_by_the_database_is_woken_by_the_new_primary(two, monkeypatch):
    first, second = two
    # Within an event loop Django looks for connections of another kind.
    monkeypatch.setattr(wakeup, "connection", at(first, second))
    heard: Queue[frozenset[int] | None] = Queue()

    def said(account: int) -> bool:
        wakeup.wake(account)
        with suppress(Exception):
            while True:
                if (woken := heard.get(timeout=0.2)) and account in woken:
                    return True
        return False

    async def listening() -> None:
        with suppress(asyncio.CancelledError):
            await wakeup.listen(heard.put)

    loop = asyncio.new_event_loop()

    task = loop.create_task(listening())
    thread = Thread(target=loop.run_until_complete, args=(task,), daemon=True)
    thread.start()
    with reached(second, first):
        soon(lambda: said(1))
        first.crash()
        second.promote()
        soon(lambda: said(2))
    loop.call_soon_threadsafe(task.cancel)
    thread.join(SECONDS)
    loop.close()
