"""The trades of an Account, by pages."""

from typing import Final

from portal.core.database.reading import Reading, Rows
from portal.venues.paper import catalogue, query_bounds
from portal.venues.paper.ranks.models import Ranked
from portal.venues.paper.readings import newest, pages
from portal.venues.types import Mark, Newest, ToldTrade, ToldTrades, TradeQuery

COLUMNS: Final = (
    "t.txid, t.id, o.txid, o.pair, t.at, o.side, o.kind, t.price_units, t.volume_units, t.cost_units, t.fee_units, "
    "t.is_maker"
)
PAGE: Final = pages.question(
    COLUMNS, "JOIN paper_trade AS t ON t.id = listed.row_id JOIN paper_order AS o ON o.id = t.order_id"
)
NEWEST: Final = newest.question(
    Ranked.TRADE, COLUMNS, "paper_trade AS t JOIN paper_order AS o ON o.id = t.order_id", "t.id"
)


def page(account_id: int, query: TradeQuery) -> Reading[ToldTrades] | None:
    """See Trading.reading_of_trades: without rows for bounds, and without the entries of the ledger."""
    if query.after_id or query.until_id or query.with_ledgers:
        return None
    stretch = query_bounds.stretch(query)
    return Reading(PAGE, pages.parameters(account_id, Ranked.TRADE, stretch, query.offset), _told)


def newest_rows(account_id: int, known: Mark | None) -> Reading[Newest[ToldTrade]]:
    """See Readings.reading_of_newest_trades."""
    return newest.reading(NEWEST, account_id, known, _rows)


def _told(rows: Rows) -> ToldTrades:
    _, _, bottom, top, *_ = rows[0]
    return ToldTrades(_rows(rows), max(0, top - bottom))


def _rows(rows: Rows) -> list[ToldTrade]:
    pairs, places = catalogue.PAIR_BY_ID, catalogue.cost_places
    return [
        ToldTrade(
            txid, number, order, pair := pairs[name], at, side, kind, price, volume, places(pair, cost),
            places(pair, fee), is_maker,
        )
        for _, _, _, _, place, txid, number, order, name, at, side, kind, price, volume, cost, fee, is_maker in rows
        if place is not None
    ]  # fmt: skip
