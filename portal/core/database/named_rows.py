"""Rows that many things on one page name by primary key, read together before each of them is put into words."""

from collections.abc import Iterable
from typing import TypeVar

from django.db.models import Model, QuerySet

from portal.core.database.one_reading import keep, once

M = TypeVar("M", bound=Model)


def row(queryset: QuerySet[M], pk: int) -> M | None:
    """The row of that primary key; on a page the one that is there already."""
    return once((queryset.model, pk), lambda: queryset.filter(pk=pk).first())


def read_ahead(queryset: QuerySet[M], keys: Iterable[int]) -> None:
    """All of them in one statement, so that `row` of the same queryset finds them on this page."""
    wanted = set(keys)
    found = queryset.in_bulk(wanted)
    for pk in wanted:
        keep((queryset.model, pk), found.get(pk))
