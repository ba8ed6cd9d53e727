"""This thread's connection, kept at hand: to look it up at each use costs as much as a statement does.

What a server does around a request, and what one does before the first statement of it, for the few roads that are
called too often for Django's own way, which asks the database itself whether it is still there.
"""

import select
from threading import local
from typing import TYPE_CHECKING, Any, Final

import psycopg
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections
from psycopg.rows import tuple_row

from portal.core.database.libpq import Prepared

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

FAREWELL_MILLISECONDS: Final = 50
OPEN: Final = psycopg.pq.ConnStatus.OK


class Hand(local):
    """What one thread keeps. A cursor and its poll object belong to one raw connection, and go with it."""

    wrapper: "BaseDatabaseWrapper"
    is_postgresql: bool
    end: select.poll
    raw: "psycopg.Connection[Any] | None" = None
    cursor: "psycopg.RawCursor[tuple[Any, ...]] | None" = None
    prepared: "Prepared | None" = None

    def __getattr__(self, name: str) -> object:
        """Look the connection up when this thread first asks for it, never when a module is imported."""
        if name not in {"wrapper", "is_postgresql"}:
            raise AttributeError(name)
        self.wrapper = connections[DEFAULT_DB_ALIAS]
        self.is_postgresql = self.wrapper.vendor == "postgresql"
        return getattr(self, name)

    def prepared_cursor(self, raw: "psycopg.Connection[Any]") -> "psycopg.RawCursor[tuple[Any, ...]]":
        """The cursor kept for that connection: it binds on the server, so that statements stay prepared."""
        if self.raw is not raw or self.cursor is None:
            self.cursor = psycopg.RawCursor(raw, row_factory=tuple_row)
            self.cursor.format = psycopg.pq.Format.BINARY
            self.end = select.poll()
            self.end.register(raw.pgconn.socket, select.POLLIN)
            self.raw = raw
        return self.cursor

    def prepared_on(self, raw: "psycopg.Connection[Any]") -> Prepared:
        """What was prepared on that connection without a cursor."""
        found = self.prepared
        if found is None or found.raw is not raw:
            found = self.prepared = Prepared(raw)
        return found


hand: Final = Hand()


def forget() -> None:
    """Let this thread look its connection up anew: another one stands in its place."""
    hand.__dict__.clear()


def tidy() -> None:
    """What Django does to its connections before and after a request, where there is something to do.

    A connection on which an error happened, or whose time is over, is looked at and replaced. Of any other it is only
    noted that it lies idle from here on.
    """
    wrapper = hand.wrapper
    if wrapper.connection is None or wrapper.in_atomic_block:
        return
    if wrapper.errors_occurred or wrapper.close_at is not None or not wrapper.autocommit:
        close_old_connections()
    else:
        wrapper.health_check_done = False  # type: ignore[attr-defined]


def leave_if_closed() -> None:
    """Give up a connection that the server has ended. Django would ask with a statement of its own."""
    wrapper = hand.wrapper
    raw = wrapper.connection
    if not hand.is_postgresql or raw is None or wrapper.in_atomic_block:
        return
    if wrapper.settings_dict["CONN_HEALTH_CHECKS"] and is_closed(raw):
        wrapper.close()


def is_closed(raw: "psycopg.Connection[Any]") -> bool:
    """Whether the end of the connection lies in its socket already: what the server said last is read, nothing sent."""
    if raw.pgconn.status != OPEN:
        return True
    if hand.raw is not raw:
        hand.prepared_cursor(raw)
    # Nearly always there is nothing to read. If there is, it is a farewell, and the end follows on its heels.
    for milliseconds in (0, *[FAREWELL_MILLISECONDS] * 3):
        if not hand.end.poll(milliseconds):
            return False
        try:
            raw.pgconn.consume_input()
        except psycopg.OperationalError:
            return True
    return False
