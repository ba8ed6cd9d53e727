"""Places in a queryset for what is known only when it runs, so that it can be compiled before."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigIntegerField, DateTimeField, Expression, Field
from django.db.models.sql.compiler import SQLCompiler

_AsSQL = tuple[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Marker:
    """What stands among the parameters of a compiled queryset for the value of that name."""

    name: str


class Given(Expression):
    """One value: the primary key of a row, or an instant."""

    def __init__(self, name: str, output_field: "Field[Any, Any]") -> None:
        super().__init__(output_field=output_field)
        self.name: Final = name

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> _AsSQL:  # type: ignore[override]
        """Like a value of its own."""
        return "%s", [Marker(self.name)]


class GivenKeys(Given):
    """However many primary keys, as JSON: the text of the statement is the same for each number of them."""

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> _AsSQL:
        """What stands behind IN."""
        return "(SELECT value FROM JSON_EACH(%s))", [Marker(self.name)]

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> _AsSQL:
        """What stands behind IN."""
        return "(SELECT JSONB_ARRAY_ELEMENTS_TEXT(%s::jsonb)::bigint)", [Marker(self.name)]


class Fixed(Expression):
    """A number of the code, in the text of the statement: so an index can be used that is for rows with it alone."""

    def __init__(self, number: int) -> None:
        super().__init__(output_field=BigIntegerField())
        self.number: Final = number

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> _AsSQL:  # type: ignore[override]
        """Nothing is given for it."""
        return str(int(self.number)), []


# What a function takes that makes a queryset for either.
Key: TypeAlias = int | Given
Keys: TypeAlias = Collection[int] | GivenKeys
Instant: TypeAlias = datetime | Given


def key(name: str) -> Given:
    """The primary key that is given as `name`."""
    return Given(name, BigIntegerField())


def keys(name: str) -> GivenKeys:
    """Those that are given as `name`, for a lookup with `__in`."""
    return GivenKeys(name, BigIntegerField())


def instant(name: str) -> Given:
    """The instant that is given as `name`."""
    return Given(name, DateTimeField())
