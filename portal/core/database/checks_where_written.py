"""CHECK constraints that are asked only when what they speak of is written (PostgreSQL), as migrations move them.

PostgreSQL reads and asks every CHECK of a table anew at each UPDATE of a row, whatever columns that writes. For a row
that each call of a bot updates this is a third of the statement. A trigger on the columns that they speak of holds the
same rules under the same names; Django's models, and SQLite, keep them as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


@dataclass(frozen=True, slots=True)
class Checks:
    """The CHECKs of `table`, by name, and the `columns` that they speak of."""

    table: str
    columns: tuple[str, ...]
    conditions: Mapping[str, str]

    @property
    def name(self) -> str:
        """What the function and its triggers are called."""
        return f"{self.table}_checks"


def where_written(checks: Checks) -> migrations.RunPython:
    """The operation of a migration that moves them.

    A later migration that changes one of them, or the type of a column that they speak of, moves them back first.
    """

    def make(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        if editor.connection.vendor != "postgresql":
            return
        editor.execute(_function(checks), params=None)
        for suffix, event in (("insert", "INSERT"), ("update", f"UPDATE OF {', '.join(checks.columns)}")):
            editor.execute(
                f"CREATE TRIGGER {checks.name}_{suffix} AFTER {event} ON {checks.table} "
                f"FOR EACH ROW EXECUTE FUNCTION {checks.name}()"
            )
        for name in checks.conditions:
            editor.execute(f'ALTER TABLE {checks.table} DROP CONSTRAINT "{name}"')

    def undo(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        if editor.connection.vendor != "postgresql":
            return
        for name, condition in checks.conditions.items():
            editor.execute(f'ALTER TABLE {checks.table} ADD CONSTRAINT "{name}" CHECK ({condition})', params=None)
        editor.execute(f"DROP FUNCTION {checks.name}() CASCADE")

    return migrations.RunPython(make, undo)


def _function(checks: Checks) -> str:
    """A condition that is unknown, because something in it is NULL, holds, as it does in a CHECK."""
    asked = "\n".join(f"WHEN ({condition}) IS FALSE THEN '{name}'" for name, condition in checks.conditions.items())
    return f"""
        CREATE FUNCTION {checks.name}() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE failed text;
        BEGIN
            SELECT CASE {asked} END INTO failed FROM (SELECT NEW.*) AS written;
            IF failed IS NOT NULL THEN
                RAISE EXCEPTION 'new row for relation "{checks.table}" violates check constraint "%"', failed
                    USING ERRCODE = 'check_violation', CONSTRAINT = failed, TABLE = '{checks.table}';
            END IF;
            RETURN NULL;
        END $$
    """  # noqa: S608  (a migration's own words)
