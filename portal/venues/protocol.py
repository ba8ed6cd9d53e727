"""What an exchange must answer. Nothing above this knows which one it is (DESIGN §8)."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from portal.core.actors import Actor
from portal.venues.dated import Dated
from portal.venues.following import Following
from portal.venues.mirroring import Mirroring
from portal.venues.pricing import Pricing
from portal.venues.readings import Readings
from portal.venues.relaying import Relaying
from portal.venues.standing import Standings
from portal.venues.types import (
    Allocation,
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
    PublicTrade,
    Quote,
    Report,
    Schedule,
    Strategy,
    Ticker,
    TradeBalance,
    TradePage,
    TradeQuery,
    TradeRow,
    TradeVolume,
)
from portal.venues.withdrawing import Withdrawals


class Catalogue(Protocol):
    """What trades, and at which prices: the same for everybody.

    Assets are found under any spelling of the protocol (canonical, altname, BTC and DOGE, any case), pairs under
    canonical id, altname, wsname or v2 symbol, and those with BTC for XBT and without the slash. Unknown ones raise
    UnknownAsset and UnknownPair.
    """

    name: str

    def assets(self) -> Sequence[Asset]:
        """Everything that can be held here."""

    def asset(self, name: str) -> Asset:
        """The asset under any of its names. Raises: UnknownAsset."""

    def pairs(self) -> Sequence[Pair]:
        """Everything that can be traded here."""

    def pair(self, name: str) -> Pair:
        """The pair under any of its names. Raises: UnknownPair."""

    def schedule(self, pair: str) -> Schedule:
        """What trading in the pair costs, by volume."""

    def tickers(self, pairs: Sequence[str]) -> Sequence[Ticker]:
        """One for each name, in that order; of all pairs if none is named."""

    def depth(self, pair: str, count: int) -> Book:
        """At most `count` levels on each side."""

    def public_trades(self, pair: str, since: datetime | None, count: int) -> Sequence[PublicTrade]:
        """Oldest first: the first `count` after `since`, or the last ones there are."""

    def candles(self, pair: str, interval_minutes: int, since: datetime | None, count: int) -> Sequence[Candle]:
        """The public trades by intervals of that length, counted from 1970 in UTC; those without a trade are left out.

        Oldest first: the last `count` that begin after `since`. The newest is there whatever `since` says, and goes on
        with each trade until its interval ends. Raises: UnknownPair.
        """

    def spread(self, pair: str, since: datetime | None) -> Sequence[Quote]:
        """Oldest first: at most 200 after `since`, or the last ones there are."""

    def convert(self, asset: str, units: int, into: str) -> Decimal:
        """What `units` of the asset's smallest part are worth in `into` at reference prices; zero if unpriced."""


class Books(Protocol):
    """Balances and the ledger."""

    def balances(self, account_id: int) -> Sequence[Balance]:
        """Every asset the Account ever had, by asset id, in one statement (more when something has come due)."""

    def ledger(self, account_id: int, query: LedgerQuery) -> LedgerPage:
        """Raises: UnknownAsset; UnknownLedgerId for an `after_id` or `until_id` that is not the Account's."""

    def ledger_rows(self, account_id: int, ids: Sequence[str]) -> Sequence[LedgerRow]:
        """Those of these ids that are the Account's; others are left out."""

    def trade_balance(self, account_id: int, asset: str) -> TradeBalance:
        """What all balances are worth in `asset`, and how much of it open orders hold. Raises: UnknownAsset."""


class Trading(Protocol):
    """Orders and trades. Before each answer the venue settles what prices have crossed since it last looked.

    `seen_from` and `seen_before` are the key's own query window.
    """

    def place_order(self, account_id: int, order: NewOrder) -> OrderRow:
        """Fill what can be filled at once and let the rest stand, with what it may cost held; or validate only.

        An IOC or market order that finds too little is filled as far as it goes, and what is left of it cancelled. A
        post-only order that would trade at once comes back cancelled, with its reason.

        Raises: UnknownPair; VolumeTooSmall, CostTooSmall, TickSize, InvalidPrice, or Invalid with the field;
        OrderFunds, TooManyOrders, TooFast, ClientIdTaken, DeadlineElapsed. Nothing is placed or held then.
        """

    def cancel_orders(
        self, account_id: int, *, order_id: str = "", userref: int | None = None, cl_ord_id: str = ""
    ) -> int:
        """Cancel the open order, or all open ones of the userref, and say how many.

        Raises: UnknownOrder if none of them is open, for whatever reason.
        """

    def cancel_all_orders(self, account_id: int) -> int:
        """Cancel every open order of the Account, and say how many that were."""

    def open_orders(self, account_id: int, query: OpenQuery) -> Sequence[OrderRow]:
        """The Account's orders that can still be filled."""

    def closed_orders(self, account_id: int, query: ClosedQuery) -> OrderPage:
        """Raises: UnknownOrder for an `after_id` or `until_id` that is not the Account's."""

    def orders(self, account_id: int, ids: Sequence[str], query: OpenQuery) -> Sequence[OrderRow]:
        """Open and closed ones alike; those that are not the Account's or not seen are left out."""

    def trades(self, account_id: int, query: TradeQuery) -> TradePage:
        """Raises: UnknownOrder for an `after_id` or `until_id` that is not a trade of the Account's."""

    def trade_rows(self, account_id: int, ids: Sequence[str], query: TradeQuery) -> Sequence[TradeRow]:
        """Those of these ids that are the Account's and seen; others are left out."""

    def trade_volume(self, account_id: int, pairs: Sequence[str]) -> TradeVolume:
        """What the Account traded lately, and where it stands in the fees of each pair. Raises: UnknownPair."""


class Deposits(Protocol):
    """Money on its way in."""

    def deposit_methods(self, asset: str) -> Sequence[DepositMethod]:
        """The ways in for the asset. Raises: UnknownAsset."""

    def deposit_addresses(self, account_id: int, asset: str, method: str, *, new: bool) -> Sequence[DepositAddress]:
        """The Account's addresses, newest first; the first one is made when asked for, another one with `new`.

        Raises: UnknownAsset, UnknownMethod; TooManyAddresses while too many are unused.
        """

    def has_deposit_address(self, account_id: int, asset: str, method: str) -> bool:
        """Whether there is one already, so that asking for it would make none. Raises: UnknownAsset, UnknownMethod."""

    def deposits(self, account_id: int, query: DepositQuery) -> DepositPage:
        """What is on its way in and what has arrived, newest first.

        Raises: UnknownAsset; Invalid for a cursor that no page of this Account gave.
        """

    def simulate_deposit(self, account_id: int, asset: str, amount: Decimal) -> DepositRow:
        """Send something to the Account from outside, to try the portal out.

        Raises: UnknownAsset, BelowMinimum, Invalid; Unavailable where money is real.
        """


class Earn(Protocol):
    """Lending to strategies. Operations are asynchronous: asked for here, done when their time has come."""

    def strategies(self, asset: str) -> Sequence[Strategy]:
        """Those of one asset, or all. Raises: UnknownAsset."""

    def allocations(self, account_id: int) -> Sequence[Allocation]:
        """One for each strategy that the Account ever used."""

    def allocate(self, account_id: int, strategy_id: str, amount: Decimal) -> None:
        """Raises: UnknownStrategy, EarnBelowMinimum, EarnAboveMaximum, EarnFunds, EarnBusy, Invalid."""

    def deallocate(self, account_id: int, strategy_id: str, amount: Decimal) -> None:
        """Raises: UnknownStrategy, EarnBelowMinimum, EarnFunds, EarnBusy, Invalid."""

    def earn_pending(self, account_id: int, strategy_id: str, operation: EarnOperation) -> bool:
        """Whether the operation is still under way. Raises: UnknownStrategy."""


class Exports(Protocol):
    """Histories as files, each of the Service User that asked for it."""

    def add_export(self, account_id: int, new: NewExport, *, actor: Actor) -> ExportRow:
        """Ask for a file, and write that down in the history. It is made a moment later.

        Raises: Invalid for an unknown column; Conflict if the bot keeps too many.
        """

    def exports(self, seen: ExportSeen, report: Report) -> Sequence[ExportRow]:
        """Newest first."""

    def export_content(self, seen: ExportSeen, export_id: str) -> bytes:
        """The zip. Raises: UnknownExport, ExportNotReady."""

    def remove_export(self, seen: ExportSeen, export_id: str, *, is_ready: bool) -> None:
        """Raises: UnknownExport; Invalid if it is ready and should not be, or the other way round."""


class Venue(
    Catalogue,
    Books,
    Trading,
    Deposits,
    Earn,
    Exports,
    Withdrawals,
    Following,
    Readings,
    Relaying,
    Dated,
    Mirroring,
    Pricing,
    Standings,
    Protocol,
):
    """Carries out orders, Earn, deposits and withdrawals for Accounts, and answers queries about them."""
