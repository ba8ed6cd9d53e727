"""PaperVenue: the exchange in the database (DESIGN V1), as the rest of the portal sees it."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from portal.venues.paper import catalogue, clock, fees, networks, withdrawals
from portal.venues.paper.deposits import addresses, arrival
from portal.venues.paper.deposits import queries as incoming
from portal.venues.paper.earn import allocation, strategies
from portal.venues.paper.earn import queries as earning
from portal.venues.paper.exports import writing
from portal.venues.paper.exports.venue_part import PaperExports
from portal.venues.paper.ledger import history
from portal.venues.paper.mirroring import PaperBook
from portal.venues.paper.orders import cancellation, placement, queries, trades
from portal.venues.paper.prices import candles, markets, public_trades
from portal.venues.paper.prices.venue_part import PaperPrices
from portal.venues.paper.readings.venue_part import PaperReadings
from portal.venues.paper.relaying import PaperRelay
from portal.venues.standing import Standing
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
    Destination,
    EarnOperation,
    LedgerPage,
    LedgerQuery,
    LedgerRow,
    NewOrder,
    OpenQuery,
    OrderPage,
    OrderRow,
    Pair,
    Part,
    PublicTrade,
    Quote,
    Schedule,
    Strategy,
    Ticker,
    TradeBalance,
    TradePage,
    TradeQuery,
    TradeRow,
    TradeVolume,
    WithdrawalMethod,
    WithdrawalPage,
    WithdrawalQuery,
    WithdrawalQuote,
    WithdrawalRow,
)


class PaperVenue(PaperExports, PaperPrices, PaperReadings, PaperBook, PaperRelay):
    """Fulfils `Venue`. What has come due is carried out before it is told, as far as one call goes (`clock.SEEN`)."""

    name = "paper"
    is_real = False

    def as_of(self, account_id: int, part: Part) -> AsOf:
        """Of now: everything is in the database."""
        return AsOf(timezone.now())

    def standing(self) -> Standing:
        """What leaves arrives here: nothing is on its way, and nobody can go around it."""
        return Standing()

    def assets(self) -> Sequence[Asset]:
        """The catalogue's, in its order."""
        return catalogue.ASSETS

    def asset(self, name: str) -> Asset:
        """Out of the catalogue, under any of its names."""
        return catalogue.asset(name)

    def pairs(self) -> Sequence[Pair]:
        """The catalogue's, in its order."""
        return catalogue.PAIRS

    def pair(self, name: str) -> Pair:
        """Out of the catalogue, under any of its names."""
        return catalogue.pair(name)

    def schedule(self, pair: str) -> Schedule:
        """The steps of that pair, each reached by what was traded in thirty days."""
        return fees.schedule(catalogue.pair(pair))

    def tickers(self, pairs: Sequence[str]) -> Sequence[Ticker]:
        """By the reference prices, not by what anybody orders here."""
        return markets.tickers(pairs)

    def depth(self, pair: str, count: int) -> Book:
        """Made up around the reference price of this second."""
        return markets.depth(pair, count)

    def public_trades(self, pair: str, since: datetime | None, count: int) -> Sequence[PublicTrade]:
        """Made up like the book, and the same whenever they are asked for."""
        return public_trades.trades(pair, since, count)

    def candles(self, pair: str, interval_minutes: int, since: datetime | None, count: int) -> Sequence[Candle]:
        """By the public trades, and the same whenever they are asked for."""
        return candles.candles(pair, interval_minutes, since, count)

    def spread(self, pair: str, since: datetime | None) -> Sequence[Quote]:
        """By the reference prices of the last seconds."""
        return markets.spread(pair, since)

    def balances(self, account_id: int) -> Sequence[Balance]:
        """One statement, unless something has come due."""
        return clock.balances_now(account_id)

    def ledger(self, account_id: int, query: LedgerQuery) -> LedgerPage:
        """Fifty rows a page, newest first."""
        clock.catch_up(account_id)
        return history.page(account_id, query)

    def ledger_rows(self, account_id: int, ids: Sequence[str]) -> Sequence[LedgerRow]:
        """Newest first."""
        clock.catch_up(account_id)
        return history.rows(account_id, ids)

    def trade_balance(self, account_id: int, asset: str) -> TradeBalance:
        """At the reference prices of this second; there is no margin here."""
        return trades.balance(asset, self.balances(account_id))

    def place_order(self, account_id: int, order: NewOrder) -> OrderRow:
        """Against the made-up book of this second, under the lock of the Account's balances."""
        return placement.place(account_id, order)

    def cancel_orders(
        self, account_id: int, *, order_id: str = "", userref: int | None = None, cl_ord_id: str = ""
    ) -> int:
        """Under the same lock; what prices have crossed by then is filled first."""
        return cancellation.cancel(account_id, order_id=order_id, userref=userref, cl_ord_id=cl_ord_id)

    def cancel_all_orders(self, account_id: int) -> int:
        """Under the same lock, after the same fills."""
        return cancellation.cancel_all(account_id)

    def open_orders(self, account_id: int, query: OpenQuery) -> Sequence[OrderRow]:
        """Newest first."""
        clock.catch_up(account_id)
        return queries.open_orders(account_id, query)

    def closed_orders(self, account_id: int, query: ClosedQuery) -> OrderPage:
        """Fifty a page, by when they closed, newest first."""
        clock.catch_up(account_id)
        return queries.closed_orders(account_id, query)

    def orders(self, account_id: int, ids: Sequence[str], query: OpenQuery) -> Sequence[OrderRow]:
        """Newest first."""
        clock.catch_up(account_id)
        return queries.orders(account_id, ids, query)

    def trades(self, account_id: int, query: TradeQuery) -> TradePage:
        """Fifty a page, newest first."""
        clock.catch_up(account_id)
        return trades.page(account_id, query)

    def trade_rows(self, account_id: int, ids: Sequence[str], query: TradeQuery) -> Sequence[TradeRow]:
        """Newest first."""
        clock.catch_up(account_id)
        return trades.rows(account_id, ids, query)

    def trade_volume(self, account_id: int, pairs: Sequence[str]) -> TradeVolume:
        """What was traded in thirty days, in dollars, what was filled just now included."""
        clock.catch_up(account_id)
        return trades.volume(account_id, pairs)

    def catch_up(self, account_ids: Collection[int]) -> None:
        """Orders, Earn and deposits; exports are nobody's news."""
        clock.catch_up_all(account_ids)

    def still(self, account_id: int) -> AbstractContextManager[None]:
        """By the lock of the Account's balances and that of its journal."""
        return clock.still(account_id)

    def settle_due(self, limit: int) -> int:
        """Orders, Earn and deposits first, then exports with what is left of `limit`."""
        done = clock.settle_due(limit)
        return done + writing.make_due(limit=limit - done)

    def deposit_methods(self, asset: str) -> Sequence[DepositMethod]:
        """The simulated networks by which the asset comes in."""
        return addresses.methods(catalogue.asset(asset).id)

    def deposit_addresses(self, account_id: int, asset: str, method: str, *, new: bool) -> Sequence[DepositAddress]:
        """Derived, and kept; no real network would take money there."""
        return addresses.addresses(account_id, asset, method, new=new)

    def has_deposit_address(self, account_id: int, asset: str, method: str) -> bool:
        """Whether a row is there; none is made."""
        return addresses.has_one(account_id, asset, method)

    def deposits(self, account_id: int, query: DepositQuery) -> DepositPage:
        """A deposit has succeeded once it is booked; until then its stage follows the clock."""
        clock.catch_up(account_id)
        return incoming.page(account_id, query)

    def simulate_deposit(self, account_id: int, asset: str, amount: Decimal) -> DepositRow:
        """By the usual network of the asset; money is never real here."""
        return incoming.row(arrival.send(account_id, asset, amount))

    def strategies(self, asset: str) -> Sequence[Strategy]:
        """A closed list, in code."""
        return strategies.of_asset(asset)

    def allocations(self, account_id: int) -> Sequence[Allocation]:
        """In the order in which the strategies were first used, as of now."""
        clock.catch_up(account_id)
        return earning.allocations(account_id)

    def allocate(self, account_id: int, strategy_id: str, amount: Decimal) -> None:
        """Takes the amount off the free balance at once; the operation is done two seconds later."""
        allocation.allocate(account_id, strategy_id, amount)

    def deallocate(self, account_id: int, strategy_id: str, amount: Decimal) -> None:
        """Done two seconds later; the amount is free again after its unbonding."""
        allocation.deallocate(account_id, strategy_id, amount)

    def earn_pending(self, account_id: int, strategy_id: str, operation: EarnOperation) -> bool:
        """By the clock, whether or not anybody has written down that it ended."""
        return allocation.pending(account_id, strategy_id, operation)

    def withdrawal_methods(self) -> Sequence[WithdrawalMethod]:
        """The simulated networks, each with what it takes."""
        return networks.METHODS

    def withdrawal_method(self, asset: str, name: str) -> WithdrawalMethod:
        """Out of the same list, the name in any case of letters."""
        return networks.method(asset, name)

    def hold_withdrawal(
        self,
        account_id: int,
        *,
        reference: str,
        asset: str,
        amount_units: int,
        destination: Destination,
        max_fee_units: int | None = None,
        asked_as: str = "",
    ) -> WithdrawalRow:
        """A row of its own and less free balance, after what has come due is booked."""
        clock.catch_up(account_id)
        return withdrawals.hold(
            account_id,
            reference=reference,
            asset=asset,
            amount_units=amount_units,
            destination=destination,
            max_fee_units=max_fee_units,
        )

    def withdrawal_quote(
        self, account_id: int, *, asset: str, destination: Destination, amount_units: int, with_limit: bool
    ) -> WithdrawalQuote:
        """What the simulated network takes, and what is free."""
        return withdrawals.quote(account_id, asset, destination, with_limit=with_limit)

    def send_withdrawal(self, reference: str) -> WithdrawalRow:
        """Booked after what has come due; its stages then follow the clock."""
        return withdrawals.send(reference)

    def release_withdrawal(self, reference: str) -> WithdrawalRow:
        """The amount is free again, under the lock of its row."""
        return withdrawals.release(reference)

    def release_withdrawals(self, references: Sequence[str]) -> int:
        """A handful of statements, however many they are."""
        return withdrawals.release_all(references)

    def cancel_withdrawal(self, reference: str) -> bool:
        """No network gives back what was sent: a mark on the row then."""
        return withdrawals.cancel(reference)

    def withdrawal(self, reference: str) -> WithdrawalRow:
        """At the stage that its stored times say."""
        return withdrawals.one(reference)

    def withdrawals(self, account_id: int, query: WithdrawalQuery) -> WithdrawalPage:
        """At most 500 a page, each at the stage that its stored times say."""
        return withdrawals.page(account_id, query)

    def withdrawals_by_reference(self, references: Sequence[str]) -> dict[str, WithdrawalRow]:
        """Those that are unknown are left out."""
        return withdrawals.by_reference(references)
