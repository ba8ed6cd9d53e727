"""What is copied: every table there is, column by column, but for what only lives for a while."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from uuid import UUID

from django.apps import apps
from django.db import connection, models
from django.db.models import Expression, F, Field, JSONField, Q, QuerySet, TextField
from django.db.models.functions import Cast

# Who is signed in signs in again, and a bot asks for a new token: what was ended here must not live on there.
LEFT_OUT: Final = frozenset({"django_session", "accounts_session", "accounts_streamsocket", "accounts_streamtoken"})
# What each database has of its own: which migrations ran, how SQLite counts, and how far a copying has come.
OWN: Final = frozenset({"django_migrations", "countersign_copy"})
# What `migrate` itself writes into an empty database: it makes way for what the source has under the same numbers.
MADE_BY_MIGRATE: Final = ("auth_permission", "django_content_type")
# Of a row there may be megabytes where it holds bytes.
ROWS, ROWS_WITH_BYTES = 2000, 50

Row: TypeAlias = tuple[Any, ...]
# A value in a column, and one in that of the primary key.
Value: TypeAlias = object
Key: TypeAlias = int | str | UUID


@dataclass(frozen=True, slots=True)
class Table:
    """A table by its model; rows are what they are in Python, JSON as the text that stands there."""

    model: type[models.Model]

    @property
    def name(self) -> str:
        """In the database."""
        return self.model._meta.db_table

    @property
    def fields(self) -> "list[Field[Any, Any]]":
        """Of the columns that are written, in one order."""
        return [field for field in self.model._meta.local_concrete_fields if not field.generated]

    @property
    def key(self) -> "Field[Any, Any]":
        """Of the primary key."""
        return self.model._meta.pk

    @property
    def place_of_key(self) -> int:
        """Where in a row the primary key stands."""
        return self.fields.index(self.key)

    @property
    def at_once(self) -> int:
        """How many rows are held in memory."""
        has_bytes = any(isinstance(field, models.BinaryField) for field in self.fields)
        return ROWS_WITH_BYTES if has_bytes else ROWS

    def count(self) -> int:
        """How many rows it has."""
        return self._all().count()

    def batches(self, after: Key | None = None) -> Iterator[list[Row]]:
        """All rows by the order of their keys, some at a time, from behind the key `after`."""
        while True:
            later = Q() if after is None else Q(pk__gt=after)
            batch = self._rows(self._all().filter(later).order_by("pk")[: self.at_once])
            if not batch:
                return
            yield batch
            after = batch[-1][self.place_of_key]

    def of_keys(self, keys: Sequence[Key]) -> dict[Key, Row]:
        """The rows with these keys, by key."""
        return {row[self.place_of_key]: row for row in self._rows(self._all().filter(pk__in=keys))}

    def _all(self) -> "QuerySet[Any]":
        return QuerySet(self.model)

    def _rows(self, rows: "QuerySet[Any]") -> list[Row]:
        return list(rows.values_list(*map(_read, self.fields)))


def copied() -> list[Table]:
    """Every table that is copied, by name."""
    found = {model._meta.db_table: Table(model) for model in _models()}
    return [table for name, table in sorted(found.items()) if name not in LEFT_OUT]


def unknown() -> list[str]:
    """Tables of the current database that no model knows: nobody could say what is in them."""
    known = {model._meta.db_table for model in _models()} | OWN
    with connection.cursor() as cursor:
        return sorted(set(connection.introspection.table_names(cursor)) - known)


def _models() -> list[type[models.Model]]:
    return [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]


def _read(field: "Field[Any, Any]") -> str | Expression:
    return Cast(F(field.attname), TextField()) if isinstance(field, JSONField) else field.attname
