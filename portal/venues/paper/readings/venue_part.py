"""The part of the venue that lets its answers be read along."""

from collections.abc import Sequence

from portal.core.database.at_hand import hand
from portal.core.database.reading import Reading
from portal.venues.paper import clock
from portal.venues.paper.readings import ledger, orders, trades
from portal.venues.types import (
    Balances,
    LedgerPage,
    LedgerQuery,
    LedgerRow,
    Mark,
    Newest,
    OpenQuery,
    ToldOrder,
    ToldTrade,
    ToldTrades,
    TradeQuery,
)


class PaperReadings:
    """Fulfils `Readings`; lists in one statement are PostgreSQL's alone."""

    def reading_of_balances(self, account_id: int) -> Reading[Balances]:
        """On both databases."""
        return clock.reading_of_balances(account_id)

    def reading_of_ledger(self, account_id: int, query: LedgerQuery) -> Reading[LedgerPage] | None:
        """Of every kind and asset, without rows for bounds."""
        return ledger.page(account_id, query) if hand.is_postgresql else None

    def reading_of_newest_ledger(self, account_id: int, known: Mark | None) -> Reading[Newest[LedgerRow]] | None:
        """Of every kind and asset."""
        return ledger.newest_rows(account_id, known) if hand.is_postgresql else None

    def reading_of_open_orders(self, account_id: int, query: OpenQuery) -> Reading[Sequence[ToldOrder]] | None:
        """All of them, without their trades."""
        return orders.open_orders(account_id, query) if hand.is_postgresql else None

    def reading_of_orders(
        self, account_id: int, ids: Sequence[str], query: OpenQuery
    ) -> Reading[Sequence[ToldOrder]] | None:
        """The same by id."""
        return orders.named(account_id, ids, query) if hand.is_postgresql else None

    def reading_of_trades(self, account_id: int, query: TradeQuery) -> Reading[ToldTrades] | None:
        """Without rows for bounds, and without their rows of the ledger."""
        return trades.page(account_id, query) if hand.is_postgresql else None

    def reading_of_newest_trades(self, account_id: int, known: Mark | None) -> Reading[Newest[ToldTrade]] | None:
        """Without their rows of the ledger."""
        return trades.newest_rows(account_id, known) if hand.is_postgresql else None
