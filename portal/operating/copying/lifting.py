"""What guards the rows of the target, and stands aside while they are copied: here and nowhere else.

Foreign keys are dropped at the beginning, since tables point to each other in circles, and are made again at the end,
where PostgreSQL looks at every row. Triggers are off within the transaction of a few rows alone: whoever kills the
copying leaves none switched off.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from portal.operating.copying import marks
from portal.operating.copying.tables import MADE_BY_MIGRATE, Table

FOREIGN_KEYS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'f' AND connamespace = current_schema()::regnamespace ORDER BY conname
"""
SEQUENCES = """
    SELECT pg_get_serial_sequence(quote_ident(table_name), column_name), table_name, column_name
    FROM information_schema.columns WHERE table_schema = current_schema()
    AND pg_get_serial_sequence(quote_ident(table_name), column_name) IS NOT NULL
"""


def begin(source: str) -> None:
    """Make the current database ready for rows, and mark that it is, in one transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        marks.begin(source)
        cursor.execute(FOREIGN_KEYS)
        for table, name, definition in cursor.fetchall():
            quoted = connection.ops.quote_name(name)
            marks.put(marks.CONSTRAINT, name, f"ALTER TABLE {table} ADD CONSTRAINT {quoted} {definition}")
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {quoted}")
        for table in MADE_BY_MIGRATE:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608


@contextmanager
def without_triggers(table: Table) -> Iterator[None]:
    """A transaction in which a table takes rows as they are; nothing of it is seen, or left, before it ends."""
    quoted = connection.ops.quote_name(table.name)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {quoted} DISABLE TRIGGER USER")
        yield
        cursor.execute(f"ALTER TABLE {quoted} ENABLE TRIGGER USER")


def put_back() -> None:
    """Make the foreign keys again, one after the other."""
    for name, statement in marks.kept(marks.CONSTRAINT).items():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            marks.remove(marks.CONSTRAINT, name)


def count_on(given: dict[str, int]) -> None:
    """Let numbers be given from behind the highest that there is, or that the source ever gave, by table."""
    with connection.cursor() as cursor:
        cursor.execute(SEQUENCES)
        for sequence, table, column in cursor.fetchall():
            quoted = f"{connection.ops.quote_name(column)}), 0) FROM {connection.ops.quote_name(table)}"
            cursor.execute(f"SELECT coalesce(max({quoted}")
            highest = max(cursor.fetchone()[0], given.get(table, 0))
            cursor.execute("SELECT setval(%s::regclass, %s, %s)", [sequence, max(highest, 1), highest > 0])


def given_by() -> dict[str, int]:
    """The highest number that the current database has ever given, by table."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, seq FROM sqlite_sequence")
            return dict(cursor.fetchall())
        found = {}
        cursor.execute(SEQUENCES)
        for sequence, table, _ in cursor.fetchall():
            cursor.execute("SELECT coalesce(pg_sequence_last_value(%s::regclass), 0)", [sequence])
            found[table] = int(cursor.fetchone()[0])
        return found
