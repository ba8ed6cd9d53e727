"""The few hot statements, run prepared and without the ORM."""

import re
import select
from collections.abc import Mapping
from functools import lru_cache
from threading import local
from typing import Any, Final

import psycopg
from django.db import connection
from psycopg.rows import tuple_row

_kept = local()
FAREWELL_MILLISECONDS: Final = 50


def fetch(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run one statement with `%(name)s` parameters on Django's connection and return all its rows.

    It runs in Django's transaction if one is open and commits by itself otherwise. Give datetimes through
    `connection.ops.adapt_datetimefield_value`. All rows are read at once: on SQLite an unfinished cursor would keep
    the lock. A connection that was closed while it lay idle is replaced before anything is sent. One that is lost
    meanwhile raises Django's OperationalError: the statement may have run, so nobody may send it again.
    """
    connection.validate_no_broken_transaction()
    if connection.force_debug_cursor or connection.execute_wrappers:
        # Somebody watches the queries: Django's own cursor shows them.
        with connection.cursor() as watched:
            watched.execute(statement, parameters)
            return watched.fetchall() if watched.description else []
    _leave_if_closed()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        if connection.vendor == "postgresql":
            prepared = _prepared_cursor(connection.connection)
            prepared.execute(statement.encode(), parameters)
            return prepared.fetchall() if prepared.description else []
        rows: list[tuple[Any, ...]] = connection.connection.execute(_named(statement), parameters).fetchall()
        return rows


def _leave_if_closed() -> None:
    """Give up a connection that the server has ended. Django would ask with a statement of its own, a third one."""
    raw = connection.connection
    if connection.vendor != "postgresql" or raw is None or connection.in_atomic_block:
        return
    if connection.settings_dict["CONN_HEALTH_CHECKS"] and _is_closed(raw):
        connection.close()


def _is_closed(raw: "psycopg.Connection[Any]") -> bool:
    """Whether the end of the connection lies in its socket already: what the server said last is read, nothing sent."""
    if raw.pgconn.status != psycopg.pq.ConnStatus.OK:
        return True
    waiting = select.poll()
    waiting.register(raw.pgconn.socket, select.POLLIN)
    # Nearly always there is nothing to read. If there is, it is a farewell, and the end follows on its heels.
    for milliseconds in (0, *[FAREWELL_MILLISECONDS] * 3):
        if not waiting.poll(milliseconds):
            return False
        try:
            raw.pgconn.consume_input()
        except psycopg.OperationalError:
            return True
    return False


def _prepared_cursor(raw: "psycopg.Connection[Any]") -> "psycopg.Cursor[tuple[Any, ...]]":
    """The cursor kept for this thread's connection: it binds on the server, so that statements stay prepared."""
    if getattr(_kept, "raw", None) is not raw:
        _kept.raw = raw
        _kept.cursor = psycopg.Cursor(raw, row_factory=tuple_row)
        _kept.cursor.format = psycopg.pq.Format.BINARY
    cursor: psycopg.Cursor[tuple[Any, ...]] = _kept.cursor
    return cursor


@lru_cache(maxsize=64)
def _named(statement: str) -> str:
    """The statement with SQLite's `:name` parameters."""
    return re.sub(r"%\((\w+)\)s", r":\1", statement).replace("%%", "%")
