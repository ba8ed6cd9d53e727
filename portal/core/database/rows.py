"""Rows of another table as one column of a statement, so that a page asks once for what belongs together."""

import json
from datetime import UTC, datetime
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import JSONField, QuerySet, Subquery
from django.db.models.functions import JSONArray
from django.db.models.sql.compiler import SQLCompiler
from django.utils.dateparse import parse_datetime

_AsSQL = tuple[str, list[Any]]


class Rows(Subquery):
    """Those of `queryset` as a list, each the list of its `columns`; in no order that anybody may count on.

    For the few rows that one thing has of another. An instant comes as text, which `instant` reads.
    """

    empty_result_set_value = "[]"

    def __init__(self, queryset: "QuerySet[Any]", *columns: str) -> None:
        super().__init__(queryset.values(item=JSONArray(*columns)), output_field=JSONField())

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any) -> _AsSQL:
        """An array of what SQLite keeps as text."""
        listed = "(SELECT JSON_GROUP_ARRAY(JSON(item)) FROM (%(subquery)s) listed)"
        return self.as_sql(compiler, connection, template=listed, **extra)  # type: ignore[return-value]

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any) -> _AsSQL:
        """An array, also where there is no row."""
        listed = "(SELECT COALESCE(JSONB_AGG(item), '[]'::jsonb) FROM (%(subquery)s) listed)"
        return self.as_sql(compiler, connection, template=listed, **extra)  # type: ignore[return-value]


def nested(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """What a JSON column holds in one of `Rows`: SQLite gives it as text."""
    return json.loads(value) if isinstance(value, str) else value


def instant(text: str) -> datetime:
    """An instant of `Rows`, as either database writes it: SQLite leaves out that it is UTC.

    Raises: ValueError if it is none.
    """
    found = parse_datetime(text)
    if found is None:
        raise ValueError(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
