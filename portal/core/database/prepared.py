"""The few hot statements, run prepared and without the ORM."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from portal.core.database import at_hand
from portal.core.database.at_hand import hand
from portal.core.observing import statements

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

PARAMETER: Final = re.compile(r"%\((\w+)\)s|%%")
# PostgreSQL alone, among the conditions of a statement that commits by itself: its commit does not wait for the disk. A
# question of its own before the statement takes a few times as long. Where no row is written, nothing is committed.
LAZILY: Final = "set_config('synchronous_commit', 'off', true) = 'off'"


def fetch(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run one statement with `%(name)s` parameters on Django's connection and return all its rows.

    It runs in Django's transaction if one is open and commits by itself otherwise. Give datetimes through
    `connection.ops.adapt_datetimefield_value`. All rows are read at once: on SQLite an unfinished cursor would keep
    the lock. A connection that was closed while it lay idle is replaced before anything is sent. One that is lost
    meanwhile raises Django's OperationalError: the statement may have run, so nobody may send it again.
    """
    wrapper = hand.wrapper
    if wrapper.needs_rollback:
        wrapper.validate_no_broken_transaction()
    if wrapper.force_debug_cursor or wrapper.execute_wrappers:
        if (traced := statements.alone_on(wrapper)) is not None:
            with traced.aside(wrapper, statement):
                return fetch(statement, parameters)
        # Somebody watches the queries: Django's own cursor shows them.
        with wrapper.cursor() as watched:
            watched.execute(statement, parameters)
            return watched.fetchall() if watched.description else []
    at_hand.leave_if_closed()
    if wrapper.connection is None:
        wrapper.ensure_connection()
    try:
        if hand.is_postgresql:
            return _on_postgresql(wrapper, statement, parameters)
        rows: list[tuple[Any, ...]] = wrapper.connection.execute(_named(statement), parameters).fetchall()
        return rows
    except Exception:
        # As Django's own, which is entered only now: at each call it would cost more than it does.
        with wrapper.wrap_database_errors:
            raise


def _on_postgresql(
    wrapper: "BaseDatabaseWrapper", statement: str, parameters: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    text, in_order = _numbered(statement)
    values = in_order(parameters)
    if wrapper.autocommit and not wrapper.in_atomic_block:
        found = hand.prepared_on(wrapper.connection).run(text, values)
        if found is not None:
            return found
    cursor = hand.prepared_cursor(wrapper.connection)
    cursor.execute(text, values)
    result = cursor.pgresult
    return cursor.fetchall() if result is not None and result.nfields else []


def instant(value: datetime | str) -> datetime:
    """A datetime as `fetch` gave it, with its time zone: SQLite knows none, and of some columns gives text."""
    read = datetime.fromisoformat(value) if isinstance(value, str) else value
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


@lru_cache(maxsize=256)
def _numbered(statement: str) -> tuple[bytes, Callable[[Mapping[str, Any]], tuple[Any, ...]]]:
    """The statement with PostgreSQL's own `$1`, and what puts parameters given by name in that order."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        if not found[1]:
            return "%"
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    text = PARAMETER.sub(number, statement).encode()
    match names:
        case []:
            return text, lambda _: ()
        case [name]:
            return text, lambda given: (given[name],)
    return text, itemgetter(*names)


@lru_cache(maxsize=256)
def _named(statement: str) -> str:
    """The statement with SQLite's `:name` parameters."""
    return re.sub(r"%\((\w+)\)s", r":\1", statement).replace("%%", "%")
