"""The rows of the cast kept as they are, and put back after a test that committed: building it again takes seconds."""

import sqlite3
from typing import TypeAlias

from django.db import connection, transaction

from tests.database import triggers

Rows: TypeAlias = "sqlite3.Connection | dict[str, bytes]"


def taken() -> Rows:
    """Every row of every table there is, but for which migrations ran; on SQLite, the whole database."""
    if connection.vendor == "sqlite":
        kept = sqlite3.connect(":memory:", check_same_thread=False)
        connection.connection.backup(kept)
        return kept
    return {table: _copied(table) for table in _tables()}


def put_back(rows: Rows) -> None:
    """Let the tables hold these rows and no others."""
    if isinstance(rows, sqlite3.Connection):
        connection.ensure_connection()
        rows.backup(connection.connection)
    else:
        _put_back_what_changed(rows)


def _put_back_what_changed(rows: dict[str, bytes]) -> None:
    """Looking at a table is far cheaper than emptying and filling it. Numbers given once are not given again."""
    changed = [
        table for table, kept in rows.items() if sorted(_copied(table).split(b"\n")) != sorted(kept.split(b"\n"))
    ]
    with triggers.lifted(changed), transaction.atomic(), connection.cursor() as cursor:
        for table in changed:
            cursor.execute(f'DELETE FROM "{table}"')
        for table in changed:
            with cursor.copy(f'COPY "{table}" FROM STDIN') as copy:
                copy.write(rows[table])
        # Where a test has emptied the tables as `flush` does, they count from one again.
        cursor.execute(
            "SELECT setval(quote_ident(sequencename)::regclass, coalesce(last_value, 0) + 10000) "
            "FROM pg_sequences WHERE schemaname = current_schema() AND coalesce(last_value, 0) < 10000"
        )


def _tables() -> list[str]:
    with connection.cursor() as cursor:
        return [table for table in connection.introspection.table_names(cursor) if table != "django_migrations"]


def _copied(table: str) -> bytes:
    with connection.cursor() as cursor, cursor.copy(f'COPY "{table}" TO STDOUT') as copy:
        return b"".join(bytes(block) for block in copy)
