"""Keyset paging: the next page begins after the last row shown, however many rows came in between."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, Generic, TypeVar, cast

from django.core.exceptions import ValidationError
from django.db.models import Field, IntegerField, Model, Q, QuerySet, Subquery

M = TypeVar("M", bound=Model)

MAX_SIZE: Final = 200
MAX_CURSOR: Final = 300
# What is counted for a badge is counted no further.
MOST_COUNTED: Final = 99


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Some rows, and the cursor of the page after them if there is one."""

    rows: list[M]
    next: str | None


def keyset(
    queryset: QuerySet[M],
    *,
    after: str | None,
    size: int = 50,
    order: Sequence[str] = ("-id",),
    shown: QuerySet[M] | None = None,
) -> Page[M]:
    """The page of `queryset` that begins after the cursor; an unreadable cursor shows the first page.

    `order` names columns of the model that together are unique, with `-` for descending ones. The rows come as in
    `shown`, if that is given, with all that it joins to them.
    """
    size = min(size, MAX_SIZE)
    values = _read(queryset.model, order, after)
    rows = queryset.order_by(*order)
    if values is not None:
        rows = rows.filter(_beyond(order, values))
    found = list(beginning(rows, size + 1, order=order, shown=shown))
    return Page(found[:size], _cursor(found[size - 1], order) if len(found) > size else None)


def beginning(
    queryset: QuerySet[M], size: int, *, order: Sequence[str], shown: QuerySet[M] | None = None
) -> QuerySet[M]:
    """The first rows of `queryset`, as in `shown` if that is given.

    They are found along an index first, then looked at with all around them: joined at once, all would be sorted.
    """
    first = queryset.order_by(*order)[:size]
    return first if shown is None else shown.filter(pk__in=first.values("pk")).order_by(*order)


def neighbours(queryset: QuerySet[M], row: M, *, order: Sequence[str]) -> tuple[QuerySet[M], QuerySet[M]]:
    """What stands before and after the place of `row` in the order of `keyset`, whether or not it is still there.

    The nearest comes first, either way.
    """
    turned = [column.removeprefix("-") if column.startswith("-") else f"-{column}" for column in order]
    values = [getattr(row, column.removeprefix("-")) for column in order]
    before = queryset.order_by(*turned).filter(_beyond(turned, values))
    return before, queryset.order_by(*order).filter(_beyond(order, values))


def capped(queryset: QuerySet[M]) -> int:
    """How many rows there are, at the cost of a hundred at most: one more than MOST_COUNTED stands for all above."""
    return queryset.order_by()[: MOST_COUNTED + 1].count()


class CappedCount(Subquery):
    """The same as a column of another statement, so that several things are counted in one."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    empty_result_set_value = 0

    def __init__(self, queryset: "QuerySet[Any]") -> None:
        super().__init__(queryset.order_by().values("pk")[: MOST_COUNTED + 1], output_field=IntegerField())


def _beyond(order: Sequence[str], values: Sequence[Any]) -> Q:
    condition, same = Q(pk__in=[]), Q()
    for column, value in zip(order, values, strict=True):
        name = column.removeprefix("-")
        condition |= same & Q(**{f"{name}__lt" if column.startswith("-") else f"{name}__gt": value})
        same &= Q(**{name: value})
    # Said once more of the first column alone: no index is entered by an OR.
    first = order[0].removeprefix("-")
    return Q(**{f"{first}__lte" if order[0].startswith("-") else f"{first}__gte": values[0]}) & condition


def _cursor(row: Model, order: Sequence[str]) -> str:
    values = [getattr(row, column.removeprefix("-")) for column in order]
    return urlsafe_b64encode(json.dumps(values, default=_exact).encode()).rstrip(b"=").decode()


def _exact(value: object) -> str:
    """Instants to the microsecond, which Django's own encoder would cut."""
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def _read(model: type[Model], order: Sequence[str], cursor: str | None) -> list[Any] | None:
    """The values in a cursor, as their columns want them; None if it cannot be one."""
    if not cursor or len(cursor) > MAX_CURSOR:
        return None
    try:
        values = json.loads(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
        if not isinstance(values, list) or any(not isinstance(value, str | int) for value in values):
            return None
        pairs = zip(order, values, strict=True)
        return [_storable(_column(model, column).to_python(value)) for column, value in pairs]
    except (ValueError, OverflowError, ValidationError, RecursionError):
        return None


def _storable(value: object) -> object:
    """Instants in UTC: one at the edge of time overflows here instead of in the query. No text has a NUL in it."""
    if isinstance(value, str) and "\0" in value:
        raise ValueError(value)
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _column(model: type[Model], column: str) -> "Field[Any, Any]":
    return cast("Field[Any, Any]", model._meta.get_field(column.removeprefix("-")))
