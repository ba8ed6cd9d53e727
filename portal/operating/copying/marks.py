"""How far a copying has come, in a table of the target that is gone once it is done.

Written in the transaction of what it tells, so that whoever was killed at any moment goes on where the database stands.
"""

import json
from dataclasses import dataclass
from typing import Final

from django.db import connection

from portal.operating.copying.tables import Key

NAME: Final = "countersign_copy"
SOURCE, CONSTRAINT, TABLE = "source", "constraint", "table"


@dataclass(frozen=True, slots=True)
class Mark:
    """Of a table: the last key that was copied, and how many rows were."""

    last: Key | None = None
    rows: int = 0
    is_done: bool = False


def are_there() -> bool:
    """Whether a copying into the current database has begun and not ended."""
    with connection.cursor() as cursor:
        return NAME in connection.introspection.table_names(cursor)


def begin(source: str) -> None:
    """Make the table; `source` is what the source looks like."""
    _do(f"CREATE TABLE {NAME} (kind text NOT NULL, name text NOT NULL, said text NOT NULL, PRIMARY KEY (kind, name))")
    put(SOURCE, "", source)


def end() -> None:
    """The copying is done."""
    _do(f"DROP TABLE {NAME}")


def put(kind: str, name: str, said: str) -> None:
    """Keep a line, in place of an earlier one of that name."""
    _do(
        f"INSERT INTO {NAME} VALUES (%s, %s, %s) ON CONFLICT (kind, name) DO UPDATE SET said = excluded.said",  # noqa: S608
        kind, name, said,
    )  # fmt: skip


def remove(kind: str, name: str) -> None:
    """Forget a line."""
    _do(f"DELETE FROM {NAME} WHERE kind = %s AND name = %s", kind, name)  # noqa: S608


def kept(kind: str) -> dict[str, str]:
    """All lines of a kind, by name."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name, said FROM {NAME} WHERE kind = %s ORDER BY name", [kind])  # noqa: S608
        return dict(cursor.fetchall())


def of_tables() -> dict[str, Mark]:
    """How far each table is, by name; a table that was not begun is missing."""
    return {name: Mark(*json.loads(said)) for name, said in kept(TABLE).items()}


def put_table(name: str, mark: Mark) -> None:
    """Keep how far a table is."""
    put(TABLE, name, json.dumps([_plain(mark.last), mark.rows, mark.is_done]))


def _plain(key: Key | None) -> int | str | None:
    return key if key is None or isinstance(key, int | str) else str(key)


def _do(statement: str, *parameters: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(parameters) or None)
