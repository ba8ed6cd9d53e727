"""Whether the database failed for now, so that the same may work in a moment: gone, busy, full or read-only."""

from typing import Final, TypeGuard

import psycopg
from django.db import InterfaceError, InternalError, OperationalError
from psycopg import errors

from portal.core.observing.meters import OTHER, Counter

# A primary that has become a standby; and a transaction that stood still for too long, with its connection.
PASSING: Final = (errors.ReadOnlySqlTransaction, errors.IdleInTransactionSessionTimeout)
GONE: Final = "gone"
LOCKED: Final = "lock_timeout"
KINDS: Final[dict[str, tuple[type[Exception], ...]]] = {
    LOCKED: (errors.LockNotAvailable,),
    "deadlock": (errors.DeadlockDetected,),
    "statement_timeout": (errors.QueryCanceled,),
    "read_only": (errors.ReadOnlySqlTransaction,),
    "full": (errors.DiskFull,),
    "too_many_connections": (errors.TooManyConnections,),
    "idle_in_transaction": (errors.IdleInTransactionSessionTimeout,),
}
FAILURES: Final = Counter(
    "countersign_database_failures_total",
    "What failed because the database did, by what was wrong: waiting for a lock in vain among it.",
    {"kind": (*KINDS, GONE)},
)


def is_away(error: BaseException | None) -> TypeGuard[BaseException]:
    """Whether `error` is the database's, and passes by itself. Somebody else's lock that is waited for counts."""
    if isinstance(error, InternalError):
        return isinstance(error.__cause__, PASSING)
    return isinstance(error, OperationalError | InterfaceError)


def in_words(error: BaseException) -> str:
    """What it was, on one line of the log."""
    cause = error.__cause__ or error
    return f"{type(cause).__name__}: {str(cause).strip().partition(chr(10))[0]}"


def note(error: BaseException) -> None:
    """Count it, for who watches over the portal."""
    FAILURES.add(kind_of(error))


def kind_of(error: BaseException) -> str:
    """Which kind of failure it was: one of `KINDS`, or `other`."""
    cause = error.__cause__ or error
    for kind, errors_of_it in KINDS.items():
        if isinstance(cause, errors_of_it):
            return kind
    if isinstance(cause, InterfaceError | psycopg.InterfaceError) or _is_gone(cause):
        return GONE
    return LOCKED if "database is locked" in str(cause) else OTHER


def _is_gone(cause: BaseException) -> bool:
    """Without a code of the server's own nothing was heard from it."""
    return isinstance(cause, psycopg.OperationalError) and (
        cause.sqlstate is None or cause.sqlstate.startswith(("08", "57P"))
    )
