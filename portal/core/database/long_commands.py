"""Commands that look at everything may take as long as they need; what serves people and bots may not."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from django.db import DatabaseError, connection

from portal.core.database.locks import number_of

# How long one may hold or read; how long a lock is waited for stays as it is, so that no command holds up the portal.
LIFTED: Final = ("statement_timeout", "idle_in_transaction_session_timeout")
# Where DATABASE_URL leaves the waiting for locks to the server, and the server does not end it either.
LOCK_TIMEOUT: Final = "4s"


class Busy(Exception):
    """Another process is at the same work."""


@contextmanager
def unhurried() -> Iterator[None]:
    """Let the statements of this thread's connection take their time. On SQLite nothing limits them anyway."""
    if connection.vendor != "postgresql":
        yield
        return
    _each("SET {} = 0")
    try:
        yield
    finally:
        # A connection that broke takes its settings along.
        with suppress(DatabaseError):
            _each("RESET {}")


@contextmanager
def never_waiting_for_ever() -> Iterator[None]:
    """See that waiting for a lock has an end, also where no setting gives it one: others queue behind who waits."""
    if connection.vendor != "postgresql" or not _locks_are_endless():
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    try:
        yield
    finally:
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")


@contextmanager
def alone(what: str) -> Iterator[None]:
    """Be the only process at this work in the database, until it ends or is killed (PostgreSQL).

    Raises: Busy if another one is. Nothing is waited for: who waits inside a statement holds up what is built beside.
    """
    if connection.vendor != "postgresql":
        yield
        return
    number = number_of(what)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        if not cursor.fetchone()[0]:
            raise Busy(what)
    try:
        yield
    finally:
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


def _locks_are_endless() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT setting = '0' FROM pg_settings WHERE name = 'lock_timeout'")
        return bool(cursor.fetchone()[0])


def _each(statement: str) -> None:
    with connection.cursor() as cursor:
        for name in LIFTED:
            cursor.execute(statement.format(name))
