"""Prepared statements without a cursor: they run once, or not at all, and a cursor runs them then."""

from collections.abc import Iterator
from threading import Thread

import psycopg
import pytest
from django.db import DataError, IntegrityError, NotSupportedError, OperationalError, connection, transaction

from portal.core.database import prepared
from portal.core.database.at_hand import hand
from portal.core.database.libpq import Prepared
from portal.core.database.prepared import fetch

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
OFTEN = 8
COUNT = "UPDATE counted SET times = times + 1, at = %(at)s WHERE id = %(id)s RETURNING times"
READ = "SELECT times FROM counted WHERE id = %(id)s"


@pytest.fixture(autouse=True)
def counted(db) -> Iterator[None]:
    if connection.vendor != "postgresql":
        pytest.skip("libpq is PostgreSQL's")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE counted (id bigint PRIMARY KEY, times bigint NOT NULL, at text)")
        cursor.execute("INSERT INTO counted VALUES (1, 0), (2, 0)")
    hand.wrapper.close()
    yield
    hand.wrapper.close()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE counted")


@pytest.fixture
def ran(monkeypatch) -> list[bool]:
    """Of each statement whether libpq alone ran it."""
    seen: list[bool] = []
    original = Prepared.run

    def run(kept, text, values):
        found = original(kept, text, values)
        seen.append(found is not None)
        return found

    monkeypatch.setattr(Prepared, "run", run)
    return seen


def count(number: int = 1) -> int:
    [(times,)] = fetch(COUNT, {"id": number, "at": "now"})
    return int(times)


def test_a_statement_that_comes_often_is_prepared_and_each_counts_once(ran):
    assert [count() for _ in range(OFTEN)] == list(range(1, OFTEN + 1))
    assert ran == [False] * 5 + [True] * (OFTEN - 5)
    assert fetch("DELETE FROM counted WHERE id = %(id)s", {"id": 9}) == []


def test_values_of_every_kind_come_back_as_a_cursor_brings_them():
    statement = """SELECT %(whole)s::bigint, %(part)s::float8, %(text)s::text, %(nothing)s::text, %(yes)s::bool,
        now() - now(), %(exact)s::numeric, %(names)s::text[], '2026-03-01 12:00+00'::timestamptz"""
    given = {
        "whole": 2**40, "part": 0.1, "text": "é'\\", "nothing": None, "yes": True, "exact": 3, "names": ["a", "b,c"],
    }  # fmt: skip
    found = [fetch(statement, given) for _ in range(OFTEN)]
    assert found[0] == found[-1]
    assert type(found[0][0][-1]) is type(found[-1][0][-1])
    assert found[0][0][-1].tzinfo is not None


def test_in_a_transaction_it_goes_with_the_transaction(ran):
    """Past the cursor it would be committed whatever becomes of the rest."""
    for _ in range(OFTEN):
        count()
    ran.clear()
    with transaction.atomic():
        assert count() == OFTEN + 1
        transaction.set_rollback(True)
    assert ran == []
    assert fetch(READ, {"id": 1}) == [(OFTEN,)]


@pytest.mark.parametrize("dropped_by", ["a rollback", "DEALLOCATE ALL", "DISCARD PLANS"])
def test_what_the_server_has_dropped_is_run_once_and_prepared_anew(ran, dropped_by):
    """fault: psycopg drops every prepared statement of a connection after a rollback."""
    for _ in range(OFTEN):
        count()
    if dropped_by == "a rollback":
        with transaction.atomic():
            for _ in range(OFTEN):
                fetch(READ, {"id": 2})
            transaction.set_rollback(True)
    else:
        with connection.cursor() as cursor:
            cursor.execute(dropped_by)
    ran.clear()
    assert [count() for _ in range(OFTEN)] == list(range(OFTEN + 1, 2 * OFTEN + 1))
    assert ran[-1]


def test_errors_are_those_of_a_cursor():
    wrong = "INSERT INTO counted VALUES (%(id)s, %(times)s)"
    for _ in range(OFTEN):
        with pytest.raises(IntegrityError) as said:
            fetch(wrong, {"id": 1, "times": 0})
        assert isinstance(said.value.__cause__, psycopg.errors.UniqueViolation)
    for number in range(OFTEN):
        assert fetch("SELECT 1 / %(by)s::int", {"by": 1 + number}) == [(1 // (1 + number),)]
    with pytest.raises(DataError):
        fetch("SELECT 1 / %(by)s::int", {"by": 0})
    assert fetch("SELECT 1 / %(by)s::int", {"by": 1}) == [(1,)]


def test_errors_do_not_fill_the_server_with_what_was_prepared():
    """It keeps whatever was prepared until the connection ends, and connections are kept."""
    for _ in range(OFTEN):
        fetch("SELECT 1 / %(by)s::int", {"by": 1})
        count()

    def kept() -> int:
        [(number,)] = fetch("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'countersign%%'", {})
        return int(number)

    before = kept()
    for _ in range(OFTEN):
        with pytest.raises(DataError):
            fetch("SELECT 1 / %(by)s::int", {"by": 0})
        count()
    assert kept() - before <= 1


def test_a_connection_that_is_lost_loses_one_statement(ran):
    """It may have run, so nobody sends it again."""
    for _ in range(OFTEN):
        count()
    [(pid,)] = fetch("SELECT pg_backend_pid()", {})
    raw = hand.wrapper.connection
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
        other.execute("SELECT pg_sleep(0.2)")
    ran.clear()
    with pytest.raises(psycopg.OperationalError):
        hand.prepared_on(raw).run(*_statement())
    assert ran == []
    assert count() == OFTEN + 1


def _statement() -> tuple[bytes, tuple[object, ...]]:
    text, in_order = prepared._numbered(COUNT)
    return text, in_order({"id": 1, "at": "now"})


def test_a_table_that_changes_costs_one_statement():
    for _ in range(OFTEN):
        fetch("SELECT * FROM counted WHERE id = %(id)s", {"id": 1})
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE counted ADD COLUMN more text")
    with pytest.raises(NotSupportedError):
        fetch("SELECT * FROM counted WHERE id = %(id)s", {"id": 1})
    for _ in range(OFTEN):
        assert fetch("SELECT * FROM counted WHERE id = %(id)s", {"id": 1}) == [(1, 0, None, None)]


def test_where_nothing_may_be_prepared_nothing_is(ran, monkeypatch):
    """A pool by transaction gives each statement another connection."""
    connection.ensure_connection()
    monkeypatch.setattr(hand.wrapper.connection, "prepare_threshold", None)
    for _ in range(OFTEN):
        count()
    assert ran == [False] * OFTEN


def test_whoever_waits_for_the_server_stops_no_other_thread():
    """Of two threads one waits for the other's lock; both would wait for ever if Python waited with it."""
    answers: list[int] = []

    def wait() -> None:
        for _ in range(OFTEN):
            count(2)
        started.append(1)
        answers.append(count(1))
        hand.wrapper.close()

    started: list[int] = []
    with transaction.atomic():
        fetch("SELECT 1 FROM counted WHERE id = 1 FOR UPDATE", {})
        thread = Thread(target=wait)
        thread.start()
        while not started or fetch("SELECT count(*) FROM pg_locks WHERE NOT granted", {}) == [(0,)]:
            thread.join(0.01)
        assert answers == []
    thread.join()
    assert answers == [1]


def test_a_lock_that_is_waited_for_too_long_is_said_as_ever():
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout TO '50ms'")
    for _ in range(OFTEN):
        count()
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
        other.execute("SELECT 1 FROM counted WHERE id = 1 FOR UPDATE")
        with pytest.raises(OperationalError) as said:
            count()
    assert isinstance(said.value.__cause__, psycopg.errors.LockNotAvailable)
    assert count() == OFTEN + 1
