"""A queryset compiled once and run many times: to build and compile a large one takes longer than to run it."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import BooleanField, Field, IntegerField, JSONField, QuerySet

from portal.core.database.compiled.given import Marker
from portal.core.database.prepared import fetch
from portal.core.database.rows import nested

_PLACE: Final = re.compile(r"%[s%]")
# The column of EXISTS, which is a parameter to Django.
_EXISTS: Final = '%s AS "a"'
# What models and operations are named by. An instant, an address or a person's words are none of it.
_WORD: Final = re.compile(r"[a-z]+([-_.][a-z]+)*")
# How what the database gives of a column is read, by the kind of the column.
_READ: Final[Mapping[type[Field[Any, Any]], Callable[[Any], Any]]] = {
    BooleanField: bool,
    IntegerField: int,
    JSONField: nested,
}


@dataclass(frozen=True, slots=True)
class Statement:
    """The text with `%(name)s` for what is given, and its columns in order, each with what reads it.

    Nothing else is in it: `compiled` refuses what could be a value of one call.
    """

    text: str
    columns: tuple[tuple[str, Callable[[Any], Any]], ...]

    def run(self, **given: int | datetime | Collection[int]) -> list[dict[str, Any]]:
        """All its rows, by column."""
        found = fetch(self.text, {name: _as_parameter(value) for name, value in given.items()})
        return [{name: read(value) for (name, read), value in zip(self.columns, row, strict=True)} for row in found]


def compiled(queryset: "QuerySet[Any, Any]") -> Statement:
    """The statement of a queryset whose `values` are named expressions, with a `Given` for all that is known later.

    Raises: TypeError if a parameter is neither that nor a word of the code, or a column is of a kind not known here.
    """
    compiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
    sql, parameters = compiler.as_sql()
    expressions = queryset.query.annotation_select
    order = sorted(expressions, key=compiler.annotation_col_map.__getitem__)
    return Statement(_written(sql, iter(parameters)), tuple((name, _reads(expressions[name])) for name in order))


def _written(sql: str, parameters: Iterator[object]) -> str:
    # As literals, so that PostgreSQL can use an index that is for them alone.
    def written(place: re.Match[str]) -> str:
        if place[0] == "%%":
            return "%%"
        parameter = next(parameters)
        is_exists = place.string.startswith(_EXISTS, place.start())
        return "1" if is_exists and parameter == 1 else _place_of(parameter)

    return _PLACE.sub(written, sql)


def _place_of(parameter: object) -> str:
    if isinstance(parameter, Marker):
        return f"%({parameter.name})s"
    if isinstance(parameter, str) and _WORD.fullmatch(parameter):
        return f"'{str.__str__(parameter)}'"
    raise TypeError(f"{parameter!r} would be kept in a statement that is compiled once.")


def _reads(expression: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - any of Django's expressions
    kind = type(expression.output_field)
    if kind not in _READ:
        raise TypeError(f"What a column of {kind.__name__} holds is not known here.")
    return _READ[kind]


def _as_parameter(value: int | datetime | Collection[int]) -> object:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value if isinstance(value, int) else json.dumps([*value])
