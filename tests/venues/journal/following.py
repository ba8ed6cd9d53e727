"""Journals as tests read and write them."""

from datetime import UTC, datetime
from decimal import Decimal

from portal.venues.journal import reading
from portal.venues.paper import catalogue
from portal.venues.types import LedgerEvent
from tests.venues.ordering import VENUE

AT = datetime(2026, 11, 2, 12, 0, 0, 1, tzinfo=UTC)


def news(name="L1", amount="1.5000000000") -> LedgerEvent:
    """An event that nothing stands behind, called `name`."""
    return LedgerEvent(
        at=AT,
        ledger_id=name,
        reference="R1",
        kind="deposit",
        subkind="",
        asset=catalogue.BTC,
        amount=Decimal(amount),
        balance=Decimal("11.5000000000"),
        fee=Decimal("0E-10"),
    )


def told(account, after=0):
    """Everything that the Account's journal tells after a number, page by page, with its numbers."""
    rows = []
    while page := reading.events(account.pk, after, VENUE, limit=7):
        rows += page
        after = page[-1].number
    return rows


def events(account, after=0):
    return [row.event for row in told(account, after)]


def names(account):
    """What `news` called the events."""
    return [event.ledger_id for event in events(account)]
