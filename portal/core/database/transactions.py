"""Transactions for what is done as a whole or not at all, and for what is read as it stood at one moment."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def joined() -> Iterator[None]:
    """The caller's transaction, or one of its own; without a savepoint, which costs two statements.

    For what leaves everything as it was when it raises: in a transaction that goes on nothing else takes it back.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        yield


@contextmanager
def one_moment() -> Iterator[None]:
    """Read in the block as of its first statement; nobody waits for it. Nothing may be written in it.

    Within a transaction of the caller's it is that one which decides.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        with _of_sqlite():
            yield


@contextmanager
def _of_sqlite() -> Iterator[None]:
    # Django's own transactions take the one lock at once, since they may write.
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")
