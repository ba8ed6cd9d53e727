"""Migrations that rebuild tables on SQLite, where such a table loses its triggers and no other may name it."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState

TRIGGERS = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
TABLES = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"


class KeepsTriggers(migrations.Migration):
    """A migration that lifts all triggers while it runs, and puts back those that it did not make anew.

    Those of a table that is gone, as on the way back from the migration that made it, are gone as well.

    SQLite alters most of a table by making another one under its name, and refuses while any trigger speaks of the old
    one. It all happens in the migration's own transaction. PostgreSQL needs none of it.
    """

    def apply(
        self, project_state: ProjectState, schema_editor: BaseDatabaseSchemaEditor, collect_sql: bool = False
    ) -> ProjectState:
        """Django's, with the triggers lifted: a rebuilt table would take its own with it."""
        with _Lifted(schema_editor):
            return super().apply(project_state, schema_editor, collect_sql)

    def unapply(
        self, project_state: ProjectState, schema_editor: BaseDatabaseSchemaEditor, collect_sql: bool = False
    ) -> ProjectState:
        """The same on the way back."""
        with _Lifted(schema_editor):
            return super().unapply(project_state, schema_editor, collect_sql)


class _Lifted:
    def __init__(self, schema_editor: BaseDatabaseSchemaEditor) -> None:
        self.connection = schema_editor.connection
        self.triggers: list[tuple[str, str, str]] = []

    def __enter__(self) -> None:
        if self.connection.vendor == "sqlite":
            self.triggers = self._present()
            with self.connection.cursor() as cursor:
                for name, _, _ in self.triggers:
                    cursor.execute(f'DROP TRIGGER "{name}"')

    def __exit__(self, kind: object, *_: Any) -> None:
        if kind is None and self.triggers:
            made = {name for name, _, _ in self._present()}
            with self.connection.cursor() as cursor:
                cursor.execute(TABLES)
                tables = {name for (name,) in cursor.fetchall()}
                for name, table, sql in self.triggers:
                    if name not in made and table in tables:
                        cursor.execute(sql)

    def _present(self) -> list[tuple[str, str, str]]:
        with self.connection.cursor() as cursor:
            cursor.execute(TRIGGERS)
            return [(name, table, sql) for name, table, sql in cursor.fetchall()]
