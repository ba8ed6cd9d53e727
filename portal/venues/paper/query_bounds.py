"""The bounds of a query: instants, rows in their place, and the key's own window."""

from datetime import datetime
from typing import Protocol, TypeVar

from django.db.models import Model, Q, QuerySet

M = TypeVar("M", bound=Model)


class Asked(Protocol):
    """A query for a stretch of time."""

    @property
    def after(self) -> datetime | None:
        """The instant after which it begins, itself not counted; None for the very beginning."""

    @property
    def until(self) -> datetime | None:
        """The instant with which it ends, counted in; None for now."""


class Within(Protocol):
    """A query for a stretch of time that counts its first instant in."""

    @property
    def since(self) -> datetime | None:
        """The instant with which it begins, counted in; None for the very beginning."""

    @property
    def until(self) -> datetime | None:
        """The instant with which it ends, counted in; None for now."""


class Windowed(Protocol):
    """A query of a key that sees a stretch of time only."""

    @property
    def seen_from(self) -> datetime | None:
        """The first instant that the key sees; None where it sees all that was."""

    @property
    def seen_before(self) -> datetime | None:
        """The instant before which all lies that the key sees; None where it sees up to now."""


def asked(rows: QuerySet[M], query: Asked, column: str) -> QuerySet[M]:
    """Histories of orders, trades and entries: `after` is exclusive, `until` inclusive (reference §7)."""
    if query.after is not None:
        rows = rows.filter(**{f"{column}__gt": query.after})
    return rows if query.until is None else rows.filter(**{f"{column}__lte": query.until})


def within(rows: QuerySet[M], query: Within, column: str) -> QuerySet[M]:
    """Deposits and withdrawals: both are inclusive (reference §17)."""
    if query.since is not None:
        rows = rows.filter(**{f"{column}__gte": query.since})
    return rows if query.until is None else rows.filter(**{f"{column}__lte": query.until})


def seen(rows: QuerySet[M], query: Windowed, since: str, before: str = "") -> QuerySet[M]:
    """The key's window: `seen_from` inclusive, `seen_before` exclusive."""
    if query.seen_from is not None:
        rows = rows.filter(**{f"{since}__gte": query.seen_from})
    return rows if query.seen_before is None else rows.filter(**{f"{before or since}__lt": query.seen_before})


def beyond(rows: QuerySet[M], place: tuple[datetime, int] | None, column: str) -> QuerySet[M]:
    """The rows newer than the one that stands at that instant under that primary key."""
    if place is None:
        return rows
    at, pk = place
    return rows.filter(Q(**{f"{column}__gt": at}) | Q(**{column: at, "pk__gt": pk}))


def up_to(rows: QuerySet[M], place: tuple[datetime, int] | None, column: str) -> QuerySet[M]:
    """That row and those older than it."""
    if place is None:
        return rows
    at, pk = place
    return rows.filter(Q(**{f"{column}__lt": at}) | Q(**{column: at, "pk__lte": pk}))
