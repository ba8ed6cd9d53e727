"""What an Account of a real exchange has and did, as pages ask for it."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext

from portal.core.database.reading import Reading
from portal.venues.kraken.reading import balances, catalogue, deposits, earn, ledger, orders, prices, snapshots, trades
from portal.venues.kraken.reading.not_here import NotHere
from portal.venues.types import (
    Allocation,
    AsOf,
    Asset,
    Balance,
    Balances,
    ClosedQuery,
    DepositAddress,
    DepositPage,
    DepositQuery,
    EarnOperation,
    LedgerPage,
    LedgerQuery,
    LedgerRow,
    Mark,
    Newest,
    OpenQuery,
    OrderPage,
    OrderRow,
    Pair,
    Part,
    Priced,
    Schedule,
    ToldOrder,
    ToldTrade,
    ToldTrades,
    TradeBalance,
    TradePage,
    TradeQuery,
    TradeRow,
)


class KrakenReading(NotHere):
    """Fulfils `Catalogue`, `Books`, `Trading`, `Deposits`, `Earn`, `Exports`, `Following`, `Pricing`,
    `Readings` and `Dated`.

    Whatever is read of an Account raises Unavailable while the exchange does not answer and never did; once it has, the
    last known is told, and `as_of` says so. Inside of a transaction only what is known already is told.
    """

    name = "kraken"
    is_real = True

    def as_of(self, account_id: int, part: Part) -> AsOf:
        """Of the last reading, and why there is no later one."""
        return snapshots.as_of(account_id, part)

    def assets(self) -> Sequence[Asset]:
        """Of all exchanges that Accounts are connected to; none before the first was read."""
        return catalogue.assets()

    def asset(self, name: str) -> Asset:
        """Out of the same list."""
        return catalogue.asset(name)

    def pairs(self) -> Sequence[Pair]:
        """Of all exchanges that Accounts are connected to; none before the first was read."""
        return catalogue.pairs()

    def pair(self, name: str) -> Pair:
        """Out of the same list."""
        return catalogue.pair(name)

    def schedule(self, pair: str) -> Schedule:
        """As the exchange lists it."""
        return catalogue.schedule(pair)

    def balances(self, account_id: int) -> Sequence[Balance]:
        """The exchange's, less what waits here to be withdrawn."""
        return balances.balances(account_id)

    def ledger(self, account_id: int, query: LedgerQuery) -> LedgerPage:
        """Fifty rows a page, newest first, never with their number."""
        return ledger.page(account_id, query)

    def ledger_rows(self, account_id: int, ids: Sequence[str]) -> Sequence[LedgerRow]:
        """Newest first."""
        return ledger.rows_of(account_id, ids)

    def trade_balance(self, account_id: int, asset: str) -> TradeBalance:
        """By the exchange's word, what waits here to be withdrawn included."""
        return balances.worth(account_id, asset)

    def price(self, account_id: int, asset: str, into: str) -> Priced | None:
        """By the last trades that the exchange's public ticker told."""
        return prices.price(account_id, asset, into)

    def refresh_price(self, account_id: int, asset: str, into: str) -> None:
        """One call for all its pairs, where the round has not made it lately."""
        prices.refresh(account_id)

    def open_orders(self, account_id: int, query: OpenQuery) -> Sequence[OrderRow]:
        """Newest first."""
        return orders.open_orders(account_id, query)

    def closed_orders(self, account_id: int, query: ClosedQuery) -> OrderPage:
        """Fifty a page, newest first, never with their number."""
        return orders.closed_orders(account_id, query)

    def orders(self, account_id: int, ids: Sequence[str], query: OpenQuery) -> Sequence[OrderRow]:
        """Newest first."""
        return orders.orders(account_id, ids, query)

    def trades(self, account_id: int, query: TradeQuery) -> TradePage:
        """Fifty a page, newest first, never with their number."""
        return trades.page(account_id, query)

    def trade_rows(self, account_id: int, ids: Sequence[str], query: TradeQuery) -> Sequence[TradeRow]:
        """Newest first."""
        return trades.rows_of(account_id, ids, query)

    def deposit_addresses(self, account_id: int, asset: str, method: str, *, new: bool) -> Sequence[DepositAddress]:
        """Those that there are. Raises: Unavailable for a new one."""
        if new:
            deposits.refuse_new()
        return deposits.addresses(account_id, asset, method)

    def has_deposit_address(self, account_id: int, asset: str, method: str) -> bool:
        """Whether the exchange names one."""
        return bool(deposits.addresses(account_id, asset, method))

    def deposits(self, account_id: int, query: DepositQuery) -> DepositPage:
        """What is on its way and what has arrived, newest first."""
        return deposits.page(account_id, query)

    def allocations(self, account_id: int) -> Sequence[Allocation]:
        """As the exchange lists them."""
        return earn.allocations(account_id)

    def earn_pending(self, account_id: int, strategy_id: str, operation: EarnOperation) -> bool:
        """By the exchange's word."""
        return earn.is_pending(account_id, strategy_id, operation)

    def catch_up(self, account_ids: Collection[int]) -> None:
        """Nothing comes due here: the exchange has a clock of its own."""

    def still(self, account_id: int) -> AbstractContextManager[None]:
        """Nothing here can stand still for what happens there."""
        return nullcontext()

    def settle_due(self, limit: int) -> int:
        """Nothing comes due here."""
        return 0

    def reading_of_balances(self, account_id: int) -> Reading[Balances] | None:
        """There is no such way: the exchange is asked."""
        return None

    def reading_of_ledger(self, account_id: int, query: LedgerQuery) -> Reading[LedgerPage] | None:
        """There is no such way: the exchange is asked."""
        return None

    def reading_of_newest_ledger(self, account_id: int, known: Mark | None) -> Reading[Newest[LedgerRow]] | None:
        """There is no such way: the exchange is asked."""
        return None

    def reading_of_open_orders(self, account_id: int, query: OpenQuery) -> Reading[Sequence[ToldOrder]] | None:
        """There is no such way: the exchange is asked."""
        return None

    def reading_of_orders(
        self, account_id: int, ids: Sequence[str], query: OpenQuery
    ) -> Reading[Sequence[ToldOrder]] | None:
        """There is no such way: the exchange is asked."""
        return None

    def reading_of_trades(self, account_id: int, query: TradeQuery) -> Reading[ToldTrades] | None:
        """There is no such way: the exchange is asked."""
        return None

    def reading_of_newest_trades(self, account_id: int, known: Mark | None) -> Reading[Newest[ToldTrade]] | None:
        """There is no such way: the exchange is asked."""
        return None
