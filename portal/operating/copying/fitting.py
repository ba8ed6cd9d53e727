"""What SQLite took and PostgreSQL would refuse: looked for before anything is written."""

import json
from collections.abc import Iterator
from typing import Any, Final

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, Field, IntegerField, JSONField

from portal.operating.copying.tables import Row, Table, Value

NUL: Final = "\0"


def refused(tables: list[Table], target: BaseDatabaseWrapper) -> Iterator[str]:
    """A line for each value of the current database that does not fit: table, column, key, and why."""
    yield from _dangling()
    for table in tables:
        checks = [(place, field, _bounds(field, target)) for place, field in enumerate(table.fields)]
        for batch in table.batches():
            for row in batch:
                for place, field, bounds in checks:
                    if why := _why_not(field, row[place], bounds):
                        yield f"{table.name}.{field.column} of {_key(table, row)}: {why}"


def _why_not(field: "Field[Any, Any]", value: Value, bounds: tuple[int, int] | None) -> str:
    if value is None:
        return "" if field.null else "nothing stands where something has to"
    if isinstance(field, JSONField):
        return _why_not_json(str(value))
    if isinstance(value, str):
        return _why_not_text(value) or _why_too_long(field, value)
    if bounds is not None:
        if not isinstance(value, int):
            return "it is no whole number"
        return "" if bounds[0] <= value <= bounds[1] else f"{value} is out of range"
    return ""


def _why_too_long(field: "Field[Any, Any]", value: str) -> str:
    longest = field.max_length if isinstance(field, CharField) else None
    return f"{len(value)} letters, and {longest} have room" if longest is not None and len(value) > longest else ""


def _why_not_text(value: str) -> str:
    if NUL in value:
        return "it holds a NUL"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "it holds half a letter (a lone surrogate)"
    return ""


def _why_not_json(value: str) -> str:
    try:
        read = json.loads(value, parse_constant=_no_number)
    except ValueError:
        return "it is no JSON"
    # Only what is escaped in the text can be what text may not hold.
    return next(filter(None, map(_why_not_text, _texts(read))), "") if "\\u" in value or NUL in value else ""


def _no_number(word: str) -> None:
    raise ValueError(word)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _bounds(field: "Field[Any, Any]", target: BaseDatabaseWrapper) -> tuple[int, int] | None:
    if not isinstance(field, IntegerField):
        return None
    lowest, highest = target.ops.integer_field_range(field.get_internal_type())
    return lowest, highest


def _dangling() -> Iterator[str]:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA foreign_key_check")
            for table, key, other, _ in cursor.fetchall():
                yield f"{table}, row {key}: it points to a row of {other} that is not there"


def _key(table: Table, row: Row) -> str:
    return str(row[table.place_of_key])
