"""Locks with a name and no row, held until the transaction ends, or the savepoint they were taken in is undone.

PostgreSQL keeps them beside its tables: whoever takes one alone waits for all who share it, and comes before those who
ask to share it later. On SQLite the transaction itself, begun IMMEDIATE, is the only lock there is.

What was read before a lock may be older than it. A statement that takes one also reads as of before it had it, but for
rows that it locks itself.
"""

import hashlib
from typing import Final

from django.db import connection, transaction

from portal.core.database.prepared import fetch

# CASE decides in which order: two that took the same locks in different orders could wait for each other for ever.
SHARED_THEN_ALONE: Final = """
    SELECT CASE WHEN pg_advisory_xact_lock_shared(%(shared)s) IS NULL THEN TRUE
        ELSE pg_advisory_xact_lock(%(alone)s) IS NULL END
"""


def number_of(name: str) -> int:
    """By what PostgreSQL knows a lock. Two names that had the same number would only wait for each other."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)


def share_then_take(shared: str, alone: str) -> None:
    """Hold the lock `shared` together with others, then `alone`, in one statement.

    Raises: TransactionManagementError outside of a transaction.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("A lock is held by a transaction.")
    if connection.vendor == "postgresql":
        fetch(SHARED_THEN_ALONE, {"shared": number_of(shared), "alone": number_of(alone)})
