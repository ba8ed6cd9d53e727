"""The bounds of a query: instants, rows in their place, and the key's own window."""

from datetime import datetime
from typing import Protocol, TypeVar

from django.db.models import Model, Q, QuerySet

from portal.venues.paper.ranks.stretch import Stretch

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


class History(Asked, Windowed, Protocol):
    """A query for a stretch of time, of a key that sees a stretch of its own."""


def stretch(query: History) -> Stretch:
    """Histories of trades and entries: `after` is exclusive, `until` inclusive (reference §7); the window as `seen`."""
    return Stretch().later_than(query.after).through(query.until).since(query.seen_from).before(query.seen_before)


def within(rows: QuerySet[M], query: Within, column: str) -> QuerySet[M]:
    """Deposits and withdrawals: both are inclusive (reference §17)."""
    if query.since is not None:
        rows = rows.filter(**{f"{column}__gte": query.since})
    return rows if query.until is None else rows.filter(**{f"{column}__lte": query.until})


def seen(rows: QuerySet[M], query: Windowed, column: str) -> QuerySet[M]:
    """The key's window: `seen_from` inclusive, `seen_before` exclusive."""
    if query.seen_from is not None:
        rows = rows.filter(**{f"{column}__gte": query.seen_from})
    return rows if query.seen_before is None else rows.filter(**{f"{column}__lt": query.seen_before})


def beyond(rows: QuerySet[M], place: tuple[datetime, int] | None, column: str) -> QuerySet[M]:
    """The rows newer than the one that stands at that instant under that primary key."""
    if place is None:
        return rows
    at, pk = place
    return rows.filter(Q(**{f"{column}__gt": at}) | Q(**{column: at, "pk__gt": pk}))
