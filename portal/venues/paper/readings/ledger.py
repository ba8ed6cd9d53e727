"""The ledger of an Account, by pages."""

from typing import Final

from portal.core.database.reading import Reading, Rows
from portal.venues.paper import catalogue, query_bounds
from portal.venues.paper.ranks.models import Ranked
from portal.venues.paper.readings import newest, pages
from portal.venues.types import LedgerPage, LedgerQuery, LedgerRow, Mark, Newest

COLUMNS: Final = (
    "p.ledger_id, e.reference, p.at, e.kind, e.subkind, p.asset, p.units + p.fee_units, p.fee_units, p.balance_units"
)
PAGE: Final = pages.question(
    COLUMNS, "JOIN paper_posting AS p ON p.id = listed.row_id JOIN paper_entry AS e ON e.id = p.entry_id"
)
NEWEST: Final = newest.question(
    Ranked.LEDGER, COLUMNS, "paper_posting AS p JOIN paper_entry AS e ON e.id = p.entry_id", "p.id"
)


def page(account_id: int, query: LedgerQuery) -> Reading[LedgerPage] | None:
    """See Books.reading_of_ledger: of every kind and asset, without rows for bounds."""
    if query.assets or query.kind or query.after_id or query.until_id:
        return None
    stretch = query_bounds.stretch(query)
    return Reading(PAGE, pages.parameters(account_id, Ranked.LEDGER, stretch, query.offset), _told)


def newest_rows(account_id: int, known: Mark | None) -> Reading[Newest[LedgerRow]]:
    """See Readings.reading_of_newest_ledger."""
    return newest.reading(NEWEST, account_id, known, _rows)


def _told(rows: Rows) -> LedgerPage:
    _, _, bottom, top, *_ = rows[0]
    return LedgerPage(tuple(_rows(rows)), count=max(0, top - bottom))


def _rows(rows: Rows) -> list[LedgerRow]:
    assets = catalogue.BY_ID
    return [
        LedgerRow(ledger_id, reference, at, kind, subkind, assets[asset], amount, fee, balance)
        for _, _, _, _, place, ledger_id, reference, at, kind, subkind, asset, amount, fee, balance in rows
        if place is not None
    ]
