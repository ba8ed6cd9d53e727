"""Following the journal of an Account from a number on."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from portal.core.database.prepared import fetch, instant
from portal.venues.errors import UnknownAsset, UnknownPair
from portal.venues.journal import codec
from portal.venues.journal.models import JournalHead
from portal.venues.protocol import Catalogue
from portal.venues.types import Event

# Head and events in one statement: between two, an event could come and look like one that is lost.
FOLLOWING: Final = """
    SELECT journal_head.last, journal_entry.number, journal_entry.body, journal_entry.written_at
    FROM journal_head LEFT JOIN journal_entry
        ON journal_entry.account_id = journal_head.account_id AND journal_entry.number > %(after)s
    WHERE journal_head.account_id = %(account)s
    ORDER BY journal_entry.number LIMIT %(limit)s
"""


class Lost(Exception):
    """What follows is not kept any more, or not in a form that is understood here: begin anew with a snapshot."""


@dataclass(frozen=True, slots=True)
class Journalled:
    """An event, its number, and when it was written. Numbers of an Account count from one, without gaps."""

    number: int
    event: Event
    written_at: datetime | None = None


def place(account_id: int) -> int:
    """The number of the Account's last event; 0 if there was none."""
    return places([account_id])[account_id]


def places(account_ids: Collection[int]) -> dict[int, int]:
    """The number of the last event of each Account, in one statement; 0 if there was none."""
    found = JournalHead.objects.filter(account_id__in=account_ids).values_list("account_id", "last")
    return dict.fromkeys(account_ids, 0) | dict(found)


def events(account_id: int, after: int, catalogue: Catalogue, limit: int = 500) -> list[Journalled]:
    """The first `limit` events after number `after`, in one statement. `catalogue` is the Account's Venue.

    Raises: Lost.
    """
    found = fetch(FOLLOWING, {"account": account_id, "after": after, "limit": limit})
    last = found[0][0] if found else 0
    rows = [(number, body, written) for _, number, body, written in found if number is not None]
    # By what is there, not by its age: what was pruned may leave anything.
    expected = range(after + 1, min(last, after + limit) + 1)
    if after > last or [number for number, *_ in rows] != list(expected):
        raise Lost
    try:
        return [Journalled(number, codec.decoded(body, catalogue), instant(at)) for number, body, at in rows]
    except (msgspec.MsgspecError, UnknownAsset, UnknownPair) as error:
        raise Lost from error
