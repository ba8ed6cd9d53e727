"""Whether the database failed for now, so that the same may work in a moment: gone, busy, full or read-only."""

from typing import Final, TypeGuard

from django.db import InterfaceError, InternalError, OperationalError
from psycopg import errors

# A primary that has become a standby; and a transaction that stood still for too long, with its connection.
PASSING: Final = (errors.ReadOnlySqlTransaction, errors.IdleInTransactionSessionTimeout)


def is_away(error: BaseException | None) -> TypeGuard[BaseException]:
    """Whether `error` is the database's, and passes by itself. Somebody else's lock that is waited for counts."""
    if isinstance(error, InternalError):
        return isinstance(error.__cause__, PASSING)
    return isinstance(error, OperationalError | InterfaceError)


def in_words(error: BaseException) -> str:
    """What it was, on one line of the log."""
    cause = error.__cause__ or error
    return f"{type(cause).__name__}: {str(cause).strip().partition(chr(10))[0]}"
