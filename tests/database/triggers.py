"""Lifts the append-only triggers around a flush between tests, and puts the very same ones back."""

from collections.abc import Container, Iterator
from contextlib import contextmanager

from django.db import connection

POSTGRESQL_TABLES = """
    SELECT DISTINCT t.tgrelid::regclass::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND n.nspname = current_schema() ORDER BY 1
"""


@contextmanager
def lifted(among: Container[str] | None = None, *, to: str = "") -> Iterator[None]:
    """Inside the block rows of the history, the decisions and the ledger can be removed; on PostgreSQL of `among`.

    On SQLite each trigger is parsed anew afterwards: `to` names what is done within, and the others stay.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND sql LIKE %s ORDER BY name", [f"%{to}%"]
            )
            triggers = cursor.fetchall()
            for name, _ in triggers:
                cursor.execute(f'DROP TRIGGER "{name}"')
            try:
                yield
            finally:
                for _, sql in triggers:
                    cursor.execute(sql)
        else:
            cursor.execute(POSTGRESQL_TABLES)
            tables = [table for (table,) in cursor.fetchall() if among is None or table in among]
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            try:
                yield
            finally:
                for table in tables:
                    cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def present() -> set[str]:
    """The names of all triggers that are in force."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute(
                "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
                "JOIN pg_namespace n ON n.oid = c.relnamespace "
                "WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND n.nspname = current_schema()"
            )
        return {name for (name,) in cursor.fetchall()}


def rows_of_everything() -> str:
    """Every value in the database as text: what whoever steals a copy of it reads."""
    with connection.cursor() as cursor:
        found: list[str] = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            found.extend(repr(row) for row in cursor.fetchall())
    return "\n".join(found)
