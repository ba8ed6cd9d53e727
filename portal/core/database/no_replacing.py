"""Migrations that keep `INSERT OR REPLACE` out of append-only tables on SQLite.

SQLite removes the row that is in the way without asking the triggers that refuse to remove it. So an insert that would
meet one is refused before it gets so far. PostgreSQL has no such statement.
"""

from collections.abc import Sequence

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import StateApps


def refuse_replacing(table: str, *uniques: Sequence[str]) -> Operation:
    """Refuse an insert that meets a row by its primary key, or by all columns of one of `uniques`."""
    name = f"{table}_no_replacing"
    same = " OR ".join(
        f"({' AND '.join(f'{column} = NEW.{column}' for column in columns)})" for columns in (("id",), *uniques)
    )
    create = (
        f"CREATE TRIGGER {name} BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "  # noqa: S608
        "BEGIN SELECT RAISE(ABORT, 'What is only added to is never replaced.'); END"
    )

    def forwards(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        if editor.connection.vendor == "sqlite":
            editor.execute(create)

    def backwards(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        if editor.connection.vendor == "sqlite":
            editor.execute(f"DROP TRIGGER {name}")

    return migrations.RunPython(forwards, backwards)
