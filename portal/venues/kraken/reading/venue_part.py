"""What an Account of a real exchange has and did, as pages ask for it."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from decimal import Decimal

from portal.core.actors import Actor
from portal.core.database.reading import Reading
from portal.core.errors import Unavailable
from portal.venues.types import (
    Allocation,
    AsOf,
    Asset,
    Balance,
    Book,
    Candle,
    ClosedQuery,
    DepositAddress,
    DepositMethod,
    DepositPage,
    DepositQuery,
    DepositRow,
    EarnOperation,
    ExportRow,
    ExportSeen,
    LedgerPage,
    LedgerQuery,
    LedgerRow,
    NewExport,
    NewOrder,
    OpenQuery,
    OrderPage,
    OrderRow,
    Pair,
    Part,
    PublicTrade,
    Quote,
    Report,
    Schedule,
    Strategy,
    Ticker,
    ToldOrder,
    ToldTrades,
    TradeBalance,
    TradePage,
    TradeQuery,
    TradeRow,
    TradeVolume,
)

NOT_READ = "This cannot be read from the exchange yet."


class KrakenReading:
    """Fulfils `Catalogue`, `Books`, `Trading`, `Deposits`, `Earn`, `Exports`, `Following` and `Readings`."""

    name = "kraken"
    is_real = True

    def as_of(self, account_id: int, part: Part) -> AsOf:
        """See the method of that name in `portal/venues/dated.py`."""
        raise Unavailable(NOT_READ)

    def assets(self) -> Sequence[Asset]:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def asset(self, name: str) -> Asset:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def pairs(self) -> Sequence[Pair]:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def pair(self, name: str) -> Pair:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def schedule(self, pair: str) -> Schedule:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def tickers(self, pairs: Sequence[str]) -> Sequence[Ticker]:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def depth(self, pair: str, count: int) -> Book:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def public_trades(self, pair: str, since: datetime | None, count: int) -> Sequence[PublicTrade]:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def candles(self, pair: str, interval_minutes: int, since: datetime | None, count: int) -> Sequence[Candle]:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def spread(self, pair: str, since: datetime | None) -> Sequence[Quote]:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def convert(self, asset: str, units: int, into: str) -> Decimal:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def balances(self, account_id: int) -> Sequence[Balance]:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def ledger(self, account_id: int, query: LedgerQuery) -> LedgerPage:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def ledger_rows(self, account_id: int, ids: Sequence[str]) -> Sequence[LedgerRow]:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def trade_balance(self, account_id: int, asset: str) -> TradeBalance:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def place_order(self, account_id: int, order: NewOrder) -> OrderRow:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def cancel_orders(
        self, account_id: int, *, order_id: str = "", userref: int | None = None, cl_ord_id: str = ""
    ) -> int:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def cancel_all_orders(self, account_id: int) -> int:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def open_orders(self, account_id: int, query: OpenQuery) -> Sequence[OrderRow]:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def closed_orders(self, account_id: int, query: ClosedQuery) -> OrderPage:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def orders(self, account_id: int, ids: Sequence[str], query: OpenQuery) -> Sequence[OrderRow]:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def trades(self, account_id: int, query: TradeQuery) -> TradePage:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def trade_rows(self, account_id: int, ids: Sequence[str], query: TradeQuery) -> Sequence[TradeRow]:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def trade_volume(self, account_id: int, pairs: Sequence[str]) -> TradeVolume:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def deposit_methods(self, asset: str) -> Sequence[DepositMethod]:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def deposit_addresses(self, account_id: int, asset: str, method: str, *, new: bool) -> Sequence[DepositAddress]:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def has_deposit_address(self, account_id: int, asset: str, method: str) -> bool:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def deposits(self, account_id: int, query: DepositQuery) -> DepositPage:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def simulate_deposit(self, account_id: int, asset: str, amount: Decimal) -> DepositRow:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def strategies(self, asset: str) -> Sequence[Strategy]:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def allocations(self, account_id: int) -> Sequence[Allocation]:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def allocate(self, account_id: int, strategy_id: str, amount: Decimal) -> None:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def deallocate(self, account_id: int, strategy_id: str, amount: Decimal) -> None:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def earn_pending(self, account_id: int, strategy_id: str, operation: EarnOperation) -> bool:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def add_export(self, account_id: int, new: NewExport, *, actor: Actor) -> ExportRow:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def exports(self, seen: ExportSeen, report: Report) -> Sequence[ExportRow]:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def export_content(self, seen: ExportSeen, export_id: str) -> bytes:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def remove_export(self, seen: ExportSeen, export_id: str, *, is_ready: bool) -> None:
        """See the method of that name in `portal/venues/protocol.py`."""
        raise Unavailable(NOT_READ)

    def catch_up(self, account_ids: Collection[int]) -> None:
        """Nothing comes due here: the exchange has a clock of its own."""

    def still(self, account_id: int) -> AbstractContextManager[None]:
        """Nothing here can stand still for what happens there."""
        return nullcontext()

    def settle_due(self, limit: int) -> int:
        """Nothing comes due here."""
        return 0

    def reading_of_balances(self, account_id: int) -> Reading[Sequence[Balance]] | None:
        """There is no such way: the exchange is asked."""
        return None

    def reading_of_ledger(self, account_id: int, query: LedgerQuery, *, first: int = 0) -> Reading[LedgerPage] | None:
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

    def reading_of_trades(self, account_id: int, query: TradeQuery, *, first: int = 0) -> Reading[ToldTrades] | None:
        """There is no such way: the exchange is asked."""
        return None
