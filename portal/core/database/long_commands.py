"""Commands that look at everything may take as long as they need; what serves people and bots may not."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from django.db import DatabaseError, connection

# How long one may hold or read; how long a lock is waited for stays as it is, so that no command holds up the portal.
LIFTED: Final = ("statement_timeout", "idle_in_transaction_session_timeout")


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


def _each(statement: str) -> None:
    with connection.cursor() as cursor:
        for name in LIFTED:
            cursor.execute(statement.format(name))
