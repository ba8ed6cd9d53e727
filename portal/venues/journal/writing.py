"""Noting what happens to Accounts, by the transaction that does it: nothing is lost, and nothing told that was undone.

Lock order: the Account's balances, then its head, which is always last. Its row is held until the transaction ends, so
that numbers become visible in their order and leave no gap.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import local
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from portal.core.database.prepared import fetch
from portal.venues.journal import codec, wakeup
from portal.venues.journal.models import JournalEntry
from portal.venues.types import Event

NUMBERED: Final = """
    INSERT INTO journal_head (account_id, last) VALUES (%(account)s, %(count)s)
    ON CONFLICT (account_id) DO UPDATE SET last = journal_head.last + EXCLUDED.last
    RETURNING last
"""

# On PostgreSQL the events come with it, and are dated by its clock: what is old is told by the same one.
WRITTEN: Final = f"""
    WITH head AS ({NUMBERED})
    INSERT INTO journal_entry (account_id, number, written_at, body)
    SELECT %(account)s, head.last - %(count)s + noted.place, clock_timestamp(), noted.body
    FROM head, unnest(%(bodies)s::text[]) WITH ORDINALITY AS noted (body, place)
"""  # noqa: S608  (nothing of a request is in it)


class _Collected(local):
    """What the thread's operation has noted so far; None while nothing collects."""

    events: list[tuple[int, Event]] | None = None


_collected = _Collected()


@contextmanager
def together() -> Iterator[None]:
    """Write what is noted inside in one go at the end, for one Account in one statement. Needs a transaction.

    Inside another one it hands over what was noted, so that the outermost writes. On an exception it is forgotten:
    wherever a savepoint may be rolled back and the rest go on, this stands directly inside it.
    """
    _check_transaction()
    outer, inner = _collected.events, list[tuple[int, Event]]()
    _collected.events = inner
    try:
        yield
    finally:
        _collected.events = outer
    if outer is None:
        _write(inner)
    else:
        outer += inner


def note(account_id: int, event: Event) -> None:
    """Add an event to the Account's journal; at once if nothing collects. Needs a transaction."""
    _check_transaction()
    if _collected.events is None:
        _write([(account_id, event)])
    else:
        _collected.events.append((account_id, event))


def hold(account_id: int) -> int:
    """Keep the Account's journal where it is until the transaction ends, and say at which number that is.

    What was noted before has to be written by then: this does not stand inside `together`.
    """
    _check_transaction()
    if _collected.events is not None:
        raise RuntimeError("The journal cannot be held while something collects: its number is not known yet.")
    return _numbered(account_id, 0)


def _write(noted: list[tuple[int, Event]]) -> None:
    events: defaultdict[int, list[Event]] = defaultdict(list)
    for account_id, event in noted:
        events[account_id].append(event)
    # Whoever writes several takes them in one order, and so waits for nobody who waits.
    for account_id, own in sorted(events.items()):
        bodies = [codec.encoded(event) for event in own]
        if connection.vendor == "postgresql":
            fetch(WRITTEN, {"account": account_id, "count": len(bodies), "bodies": bodies})
        else:
            # SQLite gives no other statement what one returns.
            first, now = _numbered(account_id, len(bodies)) - len(bodies) + 1, timezone.now()
            JournalEntry.objects.bulk_create(
                JournalEntry(account_id=account_id, number=number, written_at=now, body=body)
                for number, body in enumerate(bodies, first)
            )
        transaction.on_commit(partial(wakeup.wake, account_id))


def _numbered(account_id: int, count: int) -> int:
    [(last,)] = fetch(NUMBERED, {"account": account_id, "count": count})
    return int(last)


def _check_transaction() -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("The journal is written by the transaction of what it tells.")
