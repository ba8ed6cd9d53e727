"""The rows of the cast kept as they are, and put back after a test that committed: building it again takes seconds."""

from typing import TypeAlias

from django.db import connection, transaction

from tests.database import triggers

Rows: TypeAlias = dict[str, "bytes | list[tuple[object, ...]]"]


def taken() -> Rows:
    """Every row of every table there is, but for which migrations ran."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            return {table: _selected(table) for table in _tables()}
        found: Rows = {}
        for table in _tables():
            with cursor.copy(f'COPY "{table}" TO STDOUT') as copy:
                found[table] = b"".join(bytes(block) for block in copy)
        return found


def put_back(rows: Rows) -> None:
    """Let the tables hold these rows and no others; numbers that were given once are not given again."""
    with triggers.lifted(), transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for table in rows:
                cursor.execute(f'DELETE FROM "{table}"')
            for table, kept in rows.items():
                _insert(table, kept)  # type: ignore[arg-type]
        else:
            cursor.execute("TRUNCATE {}".format(", ".join(f'"{table}"' for table in rows)))
            for table, kept in rows.items():
                with cursor.copy(f'COPY "{table}" FROM STDIN') as copy:
                    copy.write(kept)
            # Where a test has emptied the tables as `flush` does, they count from one again.
            cursor.execute(
                "SELECT setval(quote_ident(sequencename)::regclass, coalesce(last_value, 0) + 10000) "
                "FROM pg_sequences WHERE schemaname = current_schema() AND coalesce(last_value, 0) < 10000"
            )


def _tables() -> list[str]:
    with connection.cursor() as cursor:
        return [table for table in connection.introspection.table_names(cursor) if table != "django_migrations"]


# Past Django's cursor, whose adapters would read and write some values as others.
def _selected(table: str) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = connection.connection.execute(f'SELECT * FROM "{table}"').fetchall()
    return found


def _insert(table: str, rows: list[tuple[object, ...]]) -> None:
    if rows:
        places = ", ".join("?" * len(rows[0]))
        connection.connection.executemany(f'INSERT INTO "{table}" VALUES ({places})', rows)
