"""What an Account of a real exchange cannot be asked by a typed method: each says where it is done instead."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NoReturn

from portal.core.actors import Actor
from portal.core.errors import Unavailable
from portal.venues.types import (
    Book,
    Candle,
    DepositMethod,
    DepositRow,
    ExportRow,
    ExportSeen,
    NewExport,
    NewOrder,
    OrderRow,
    PublicTrade,
    Quote,
    Report,
    Strategy,
    Ticker,
    TradeVolume,
)

PRICES: Final = "Prices of a real exchange are told by its own public methods."
ORDERS: Final = (
    "Orders of an Account at a real exchange are placed and cancelled by calls of bots, which are sent on to it."
)
EARN: Final = "Earn of an Account at a real exchange is allocated by calls of bots, which are sent on to it."
EXPORTS: Final = "Exports of an Account at a real exchange are the exchange's, and asked for by calls of bots."
REAL: Final = "Money is real there, so nothing arrives by being tried."
PER_ACCOUNT: Final = "The exchange says this for one of its accounts, to calls of bots."


class NotHere:
    """Every method raises Unavailable, in words that say where else to go."""

    def tickers(self, pairs: Sequence[str]) -> Sequence[Ticker]:
        """The exchange's public methods tell them."""
        self._refuse(PRICES)

    def depth(self, pair: str, count: int) -> Book:
        """The exchange's public methods tell it."""
        self._refuse(PRICES)

    def public_trades(self, pair: str, since: datetime | None, count: int) -> Sequence[PublicTrade]:
        """The exchange's public methods tell them."""
        self._refuse(PRICES)

    def candles(self, pair: str, interval_minutes: int, since: datetime | None, count: int) -> Sequence[Candle]:
        """The exchange's public methods tell them."""
        self._refuse(PRICES)

    def spread(self, pair: str, since: datetime | None) -> Sequence[Quote]:
        """The exchange's public methods tell it."""
        self._refuse(PRICES)

    def convert(self, asset: str, units: int, into: str) -> Decimal:
        """The exchange says what everything is worth, and nothing of a part."""
        self._refuse(PRICES)

    def place_order(self, account_id: int, order: NewOrder) -> OrderRow:
        """Relayed for bots; no page places orders."""
        self._refuse(ORDERS)

    def cancel_orders(
        self, account_id: int, *, order_id: str = "", userref: int | None = None, cl_ord_id: str = ""
    ) -> int:
        """Relayed for bots; no page cancels orders."""
        self._refuse(ORDERS)

    def cancel_all_orders(self, account_id: int) -> int:
        """Relayed for bots; no page cancels orders."""
        self._refuse(ORDERS)

    def trade_volume(self, account_id: int, pairs: Sequence[str]) -> TradeVolume:
        """Relayed for bots; no page tells fees."""
        self._refuse(PER_ACCOUNT)

    def deposit_methods(self, asset: str) -> Sequence[DepositMethod]:
        """Relayed for bots: the exchange says which ways in an account of its own has."""
        self._refuse(PER_ACCOUNT)

    def simulate_deposit(self, account_id: int, asset: str, amount: Decimal) -> DepositRow:
        """Nothing real is sent by trying."""
        self._refuse(REAL)

    def strategies(self, asset: str) -> Sequence[Strategy]:
        """Relayed for bots: the exchange says which strategies an account of its own may use."""
        self._refuse(PER_ACCOUNT)

    def allocate(self, account_id: int, strategy_id: str, amount: Decimal) -> None:
        """Relayed for bots."""
        self._refuse(EARN)

    def deallocate(self, account_id: int, strategy_id: str, amount: Decimal) -> None:
        """Relayed for bots."""
        self._refuse(EARN)

    def add_export(self, account_id: int, new: NewExport, *, actor: Actor) -> ExportRow:
        """Relayed for bots."""
        self._refuse(EXPORTS)

    def exports(self, seen: ExportSeen, report: Report) -> Sequence[ExportRow]:
        """Relayed for bots."""
        self._refuse(EXPORTS)

    def export_content(self, seen: ExportSeen, export_id: str) -> bytes:
        """Relayed for bots."""
        self._refuse(EXPORTS)

    def remove_export(self, seen: ExportSeen, export_id: str, *, is_ready: bool) -> None:
        """Relayed for bots."""
        self._refuse(EXPORTS)

    def _refuse(self, words: str) -> NoReturn:
        raise Unavailable(words)
