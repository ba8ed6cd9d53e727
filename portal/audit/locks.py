"""What orders everything that is governed in an Organization: its authority, and the end of its history.

**The authority** is a lock with a name, and stands for who may do what: members, rights, factors, policies, bots, keys
and the address book. Whoever changes any of that, decides or carries out, holds it alone. Whoever only asks for money
reads all that and changes none, so those share it: they wait for no one of each other, and for them nothing moves.

**The history** is the row of the Organization's chain. Whoever holds the authority alone takes the row at once. Whoever
shares it takes the row last, for the append alone.

The order, for everybody: the authority; who asks; the request's row; the Account's balances; the head of its journal;
the history. Nobody who shares the authority may want it alone: two who did would wait for each other for ever.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from typing import Final

from django.db import connection, transaction

from portal.audit import chain as chains
from portal.audit.models import Chain
from portal.core.database.locks import number_of, share_then_take
from portal.core.database.prepared import fetch

# The lock is had before the row is locked, and a row that is locked is read as it is by then.
AUTHORITY_AND_HISTORY: Final = """
    SELECT chain.id, chain.organization_id, chain.name, chain.length, chain.head
    FROM pg_advisory_xact_lock(%(authority)s) AS authority, audit_chain AS chain
    WHERE chain.name = %(name)s
    FOR NO KEY UPDATE OF chain
"""
HISTORY: Final = """
    SELECT id, organization_id, name, length, head FROM audit_chain WHERE name = %(name)s FOR NO KEY UPDATE
"""
# SQLite has no row locks: there the transaction itself, begun IMMEDIATE, is the lock of both.
IN_A_TRANSACTION: Final = """
    SELECT id, organization_id, name, length, head FROM audit_chain WHERE name = %(name)s
"""
ADVANCE: Final = "UPDATE audit_chain SET length = %(length)s, head = %(head)s WHERE id = %(id)s"
FIELDS: Final = ("id", "organization_id", "name", "length", "head")


class _Sharing(local):
    """The Organization whose authority this thread shares with others; None while it shares none."""

    organization_id: int | None = None


_sharing = _Sharing()


@contextmanager
def ask_beside_others(organization_id: int, asker: str) -> Iterator[None]:
    """Share the Organization's authority until the transaction ends, and let `asker` ask one thing at a time.

    For what changes nothing that others are judged by. Inside nobody may take the history's lock, nor record anything
    but within `record.appending`.

    Raises: TransactionManagementError outside of a transaction.
    """
    if _sharing.organization_id is not None:
        raise RuntimeError("Whoever asks does not ask within that.")
    share_then_take(_authority(organization_id), f"asker {asker}")
    _sharing.organization_id = organization_id
    try:
        yield
    finally:
        _sharing.organization_id = None


def history(organization_id: int | None) -> Chain:
    """The chain of an Organization, locked, with its authority held alone.

    Raises: TransactionManagementError outside of a transaction; RuntimeError inside `ask_beside_others`.
    """
    _check_transaction()
    if _sharing.organization_id is not None:
        raise RuntimeError("Whoever shares the authority cannot have it alone: it would wait for others who want that.")
    name = chains.name_of(organization_id)
    if connection.vendor != "postgresql":
        return _locked(organization_id, IN_A_TRANSACTION, {"name": name})
    authority = number_of(_authority(organization_id))
    return _locked(organization_id, AUTHORITY_AND_HISTORY, {"name": name, "authority": authority})


def history_alone(organization_id: int | None) -> Chain:
    """The chain of an Organization, locked, whoever holds its authority.

    Raises: TransactionManagementError outside of a transaction.
    """
    _check_transaction()
    statement = HISTORY if connection.vendor == "postgresql" else IN_A_TRANSACTION
    return _locked(organization_id, statement, {"name": chains.name_of(organization_id)})


def advance(chain: Chain) -> None:
    """Write how far a locked chain reaches by now."""
    fetch(ADVANCE, {"id": chain.pk, "length": chain.length, "head": chain.head})


def _locked(organization_id: int | None, statement: str, names: dict[str, object]) -> Chain:
    rows = fetch(statement, names)
    if not rows:
        # Without a row the statement has locked nothing.
        made = Chain(name=chains.name_of(organization_id), organization_id=organization_id)
        Chain.objects.bulk_create([made], ignore_conflicts=True)
        rows = fetch(statement, names)
    return Chain.from_db(connection.alias, FIELDS, rows[0])


def _authority(organization_id: int | None) -> str:
    return f"authority of {chains.name_of(organization_id)}"


def _check_transaction() -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("The history is written inside the transaction of the change.")
