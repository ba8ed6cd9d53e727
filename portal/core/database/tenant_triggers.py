"""Database rules that keep a row within one Organization, as migrations make them (security AZ-3)."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

SAID = "the row points into another Organization"


@dataclass(frozen=True, slots=True)
class Belonging:
    """A row of `table` has to satisfy `rule`, SQL that speaks of it as NEW.

    It is asked when one of `columns` is written, so that counters beside them stay cheap.
    """

    table: str
    columns: tuple[str, ...]
    rule: str

    @property
    def name(self) -> str:
        """What the trigger is called, and the error that it raises."""
        return f"{self.table}_one_organization"


def hold(*belongings: Belonging) -> migrations.RunPython:
    """The operation of a migration that makes these rules."""

    def make(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        write = _sqlite if editor.connection.vendor == "sqlite" else _postgresql
        for belonging in belongings:
            for statement in write(belonging):
                editor.execute(statement, params=None)

    def undo(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        for belonging in belongings:
            if editor.connection.vendor == "sqlite":
                editor.execute(f"DROP TRIGGER IF EXISTS {belonging.name}_insert")
                editor.execute(f"DROP TRIGGER IF EXISTS {belonging.name}_update")
            else:
                editor.execute(f"DROP FUNCTION {belonging.name}() CASCADE")

    return migrations.RunPython(make, undo)


def after_updates(belonging: Belonging) -> migrations.RunPython:
    """The operation that asks such a rule, which holds already, after a row is updated instead of before (PostgreSQL).

    For a table whose other columns are updated all the time: with a trigger before it PostgreSQL locks each row that
    is updated first, whatever column is written, and notes that in its log.
    """
    function, table, columns = belonging.name, belonging.table, ", ".join(belonging.columns)

    def make(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        if editor.connection.vendor == "postgresql":
            drop(editor)
            editor.execute(_trigger(function, "BEFORE INSERT", table, function))
            editor.execute(_trigger(f"{function}_update", f"AFTER UPDATE OF {columns}", table, function))

    def undo(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        if editor.connection.vendor == "postgresql":
            drop(editor)
            editor.execute(_trigger(function, f"BEFORE INSERT OR UPDATE OF {columns}", table, function))

    def drop(editor: BaseDatabaseSchemaEditor) -> None:
        for name in (function, f"{function}_update"):
            editor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")

    return migrations.RunPython(make, undo)


def _trigger(name: str, event: str, table: str, function: str) -> str:
    return f"CREATE TRIGGER {name} {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"


def _sqlite(belonging: Belonging) -> Sequence[str]:
    events = (("insert", "INSERT"), ("update", f"UPDATE OF {', '.join(belonging.columns)}"))
    return [
        f"""
        CREATE TRIGGER {belonging.name}_{word} BEFORE {event} ON {belonging.table} WHEN NOT ({belonging.rule})
        BEGIN SELECT RAISE(ABORT, '{SAID}'); END
        """
        for word, event in events
    ]


def _postgresql(belonging: Belonging) -> Sequence[str]:
    function = f"""
        CREATE FUNCTION {belonging.name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT ({belonging.rule}) THEN
                RAISE EXCEPTION '{SAID}' USING ERRCODE = 'foreign_key_violation';
            END IF;
            RETURN NEW;
        END $$
    """
    event = f"BEFORE INSERT OR UPDATE OF {', '.join(belonging.columns)}"
    return [function, _trigger(belonging.name, event, belonging.table, belonging.name)]
