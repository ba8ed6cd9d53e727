"""The few hot statements, run prepared and without the ORM."""

import re
from collections.abc import Mapping
from functools import lru_cache
from threading import local
from typing import Any

import psycopg
from django.db import connection
from psycopg.rows import tuple_row

_kept = local()


def fetch(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run one statement with `%(name)s` parameters on Django's connection and return all its rows.

    It runs in Django's transaction if one is open and commits by itself otherwise. Give datetimes through
    `connection.ops.adapt_datetimefield_value`. All rows are read at once: on SQLite an unfinished cursor would keep
    the lock. A lost connection raises Django's OperationalError and is replaced before the next request.
    """
    connection.validate_no_broken_transaction()
    if connection.force_debug_cursor or connection.execute_wrappers:
        # Somebody watches the queries: Django's own cursor shows them.
        with connection.cursor() as watched:
            watched.execute(statement, parameters)
            return watched.fetchall() if watched.description else []
    connection.ensure_connection()
    with connection.wrap_database_errors:
        if connection.vendor == "postgresql":
            prepared = _prepared_cursor(connection.connection)
            prepared.execute(statement.encode(), parameters)
            return prepared.fetchall() if prepared.description else []
        rows: list[tuple[Any, ...]] = connection.connection.execute(_named(statement), parameters).fetchall()
        return rows


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
