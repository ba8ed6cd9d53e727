"""Operations of migrations that keep nobody out while they run, and that can be run again where they were interrupted.

On PostgreSQL an index is built beside those who write, and a constraint is first held and then looked for. A migration
with one of these says `atomic = False`, and has nothing else in it that could not be done twice. On SQLite they are
Django's plain ones: nobody else is at work there while it migrates.
"""

from typing import Any

from django.contrib.postgres import operations as postgres
from django.db import NotSupportedError
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddConstraint, AddIndex, RemoveIndex
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.migrations.state import ProjectState
from django.db.models import Field, Model

FOUND = """
    SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relname = %s AND c.relnamespace = current_schema()::regnamespace
"""
UNIQUE_INDEX = "CREATE UNIQUE INDEX"
CONSTRAINT = """
    SELECT 1 FROM pg_constraint WHERE conname = %s AND conrelid = to_regclass(%s)
"""


class AddIndexConcurrently(postgres.AddIndexConcurrently):
    """Build an index while rows are written. One that was left unfinished is taken away first, a finished one stays."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Raises: NotSupportedError inside of a transaction, where PostgreSQL builds nothing beside others."""
        if schema_editor.connection.vendor != "postgresql":
            AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)
            return
        self._ensure_not_in_transaction(schema_editor)
        found = _found(schema_editor, FOUND, self.index.name)
        if found == (True,):
            return
        if found is not None:
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(self.index.name)}")
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """The same on the way back."""
        if schema_editor.connection.vendor != "postgresql":
            AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)
        else:
            _remove_index(self, schema_editor, self.index.name)


class RemoveIndexConcurrently(postgres.RemoveIndexConcurrently):
    """Take an index away without stopping those who read along it."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Raises: NotSupportedError inside of a transaction."""
        if schema_editor.connection.vendor != "postgresql":
            RemoveIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)
        else:
            _remove_index(self, schema_editor, str(self.name))

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """The same on the way back."""
        if schema_editor.connection.vendor != "postgresql":
            RemoveIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)
        else:
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class AddConstraintNotValid(postgres.AddConstraintNotValid):
    """Hold a check for what is written from now on; ValidateConstraint, in a later migration, looks at the rest."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Hold it, unless it is held already."""
        if schema_editor.connection.vendor != "postgresql":
            AddConstraint.database_forwards(self, app_label, schema_editor, from_state, to_state)
            return
        table = from_state.apps.get_model(app_label, self.model_name)._meta.db_table
        if _found(schema_editor, CONSTRAINT, self.constraint.name, table) is None:
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class ValidateConstraint(postgres.ValidateConstraint):
    """Look at all rows there are, while others are written. On SQLite that was done at once."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Look at them on PostgreSQL."""
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class AddUniqueConcurrently(AddConstraint):
    """Build the index of a UniqueConstraint while rows are written, and let it hold once it is built."""

    atomic = False

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Raises: NotSupportedError inside of a transaction; IntegrityError where rows are equal that may not be."""
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        if schema_editor.connection.in_atomic_block:
            raise NotSupportedError(f"{type(self).__name__} stands in a migration with atomic = False.")
        model = to_state.apps.get_model(app_label, self.model_name)
        quote, constraint = schema_editor.quote_name, self.constraint
        found = _found(schema_editor, FOUND, constraint.name)
        if found == (False,):
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {quote(constraint.name)}")
        made = str(constraint.create_sql(model, schema_editor))
        if made.startswith(UNIQUE_INDEX):
            if found != (True,):
                schema_editor.execute(made.replace(UNIQUE_INDEX, f"{UNIQUE_INDEX} CONCURRENTLY", 1), params=None)
            return
        table, name = quote(model._meta.db_table), quote(constraint.name)
        if found != (True,):
            columns = made[made.rindex("UNIQUE ") + len("UNIQUE ") :]
            schema_editor.execute(f"{UNIQUE_INDEX} CONCURRENTLY {name} ON {table} {columns}", params=None)
        if _found(schema_editor, CONSTRAINT, constraint.name, model._meta.db_table) is None:
            schema_editor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}")


class DropUnusedColumn(Operation):
    """Take a column away that a release before gave up: no model has it any more, so it is given with its field."""

    category = OperationCategory.REMOVAL

    def __init__(self, model_name: str, name: str, field: "Field[Any, Any]") -> None:
        self.model_name, self.name, self.field = model_name, name, field

    @property
    def model_name_lower(self) -> str:
        """As states have it."""
        return self.model_name.lower()

    def describe(self) -> str:
        """In a word."""
        return f"Drop unused column {self.name} of {self.model_name}"

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """It left the state when it was given up."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Take it away."""
        model = to_state.apps.get_model(app_label, self.model_name)
        schema_editor.remove_field(model, self._of(model))

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Make it again, empty."""
        model = to_state.apps.get_model(app_label, self.model_name)
        schema_editor.add_field(model, self._of(model))

    def _of(self, model: type[Model]) -> "Field[Any, Any]":
        field = self.field.clone()
        field.set_attributes_from_name(self.name)
        field.model = model
        return field


def _found(schema_editor: BaseDatabaseSchemaEditor, question: str, *asked: str) -> tuple[Any, ...] | None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(question, list(asked))
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


def _remove_index(operation: Operation, schema_editor: BaseDatabaseSchemaEditor, name: str) -> None:
    if schema_editor.connection.in_atomic_block:
        raise NotSupportedError(f"{type(operation).__name__} stands in a migration with atomic = False.")
    schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(name)}")
