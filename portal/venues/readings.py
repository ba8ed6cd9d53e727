"""What bots ask most, for whoever reads it along with a statement of their own: one way to the database, not two."""

from collections.abc import Sequence
from typing import Protocol

from portal.core.database.reading import Reading
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


class Readings(Protocol):
    """Each says what the method of its name says, without asking yet.

    None where there is no such way, or not for this question. It is stale when something has come due: then that
    method has to be asked, which carries it out.
    """

    def reading_of_balances(self, account_id: int) -> Reading[Balances] | None:
        """`Books.balances`."""

    def reading_of_ledger(self, account_id: int, query: LedgerQuery) -> Reading[LedgerPage] | None:
        """`Books.ledger`, always with the count."""

    def reading_of_newest_ledger(self, account_id: int, known: Mark | None) -> Reading[Newest[LedgerRow]] | None:
        """`Books.ledger` without any bound, as far as it is newer than the row that is known there."""

    def reading_of_open_orders(self, account_id: int, query: OpenQuery) -> Reading[Sequence[ToldOrder]] | None:
        """`Trading.open_orders`."""

    def reading_of_orders(
        self, account_id: int, ids: Sequence[str], query: OpenQuery
    ) -> Reading[Sequence[ToldOrder]] | None:
        """`Trading.orders`."""

    def reading_of_trades(self, account_id: int, query: TradeQuery) -> Reading[ToldTrades] | None:
        """`Trading.trades`, always with the count."""

    def reading_of_newest_trades(self, account_id: int, known: Mark | None) -> Reading[Newest[ToldTrade]] | None:
        """`Trading.trades` in the same way."""
