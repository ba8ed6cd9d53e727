"""What the paper exchange does not answer yet."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NoReturn

from portal.core.errors import Unavailable
from portal.venues import types as t


def _not_yet() -> NoReturn:
    raise Unavailable("The paper exchange does not do that yet.")


class Unbuilt:
    def schedule(self, pair: str) -> t.Schedule:
        _not_yet()

    def tickers(self, pairs: Sequence[str]) -> Sequence[t.Ticker]:
        _not_yet()

    def depth(self, pair: str, count: int) -> t.Book:
        _not_yet()

    def public_trades(self, pair: str, since: datetime | None, count: int) -> Sequence[t.PublicTrade]:
        _not_yet()

    def spread(self, pair: str, since: datetime | None) -> Sequence[t.Quote]:
        _not_yet()

    def convert(self, asset: str, units: int, into: str) -> Decimal:
        _not_yet()

    def trade_balance(self, account_id: int, asset: str) -> t.TradeBalance:
        _not_yet()

    def place_order(self, account_id: int, order: t.NewOrder) -> t.OrderRow:
        _not_yet()

    def cancel_orders(
        self, account_id: int, *, order_id: str = "", userref: int | None = None, cl_ord_id: str = ""
    ) -> int:
        _not_yet()

    def cancel_all_orders(self, account_id: int) -> int:
        _not_yet()

    def open_orders(self, account_id: int, query: t.OpenQuery) -> Sequence[t.OrderRow]:
        _not_yet()

    def closed_orders(self, account_id: int, query: t.ClosedQuery) -> t.OrderPage:
        _not_yet()

    def orders(self, account_id: int, ids: Sequence[str], query: t.OpenQuery) -> Sequence[t.OrderRow]:
        _not_yet()

    def trades(self, account_id: int, query: t.TradeQuery) -> t.TradePage:
        _not_yet()

    def trade_rows(self, account_id: int, ids: Sequence[str], query: t.TradeQuery) -> Sequence[t.TradeRow]:
        _not_yet()

    def trade_volume(self, account_id: int, pairs: Sequence[str]) -> t.TradeVolume:
        _not_yet()

    def deposit_methods(self, asset: str) -> Sequence[t.DepositMethod]:
        _not_yet()

    def deposit_addresses(self, account_id: int, asset: str, method: str, *, new: bool) -> Sequence[t.DepositAddress]:
        _not_yet()

    def has_deposit_address(self, account_id: int, asset: str, method: str) -> bool:
        _not_yet()

    def deposits(self, account_id: int, query: t.DepositQuery) -> t.DepositPage:
        _not_yet()

    def strategies(self, asset: str) -> Sequence[t.Strategy]:
        _not_yet()

    def allocations(self, account_id: int) -> Sequence[t.Allocation]:
        _not_yet()

    def allocate(self, account_id: int, strategy_id: str, amount: Decimal) -> None:
        _not_yet()

    def deallocate(self, account_id: int, strategy_id: str, amount: Decimal) -> None:
        _not_yet()

    def earn_pending(self, account_id: int, strategy_id: str, operation: t.EarnOperation) -> bool:
        _not_yet()

    def settle_due(self, limit: int) -> int:
        _not_yet()
