"""PaperVenue: the exchange in the database (DESIGN V1), as the rest of the portal sees it."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from portal.venues.paper import catalogue, clock, fees, networks, withdrawals
from portal.venues.paper.clock import catch_up
from portal.venues.paper.deposits import addresses, arrival
from portal.venues.paper.deposits import queries as incoming
from portal.venues.paper.earn import allocation, strategies
from portal.venues.paper.earn import queries as earning
from portal.venues.paper.exports import writing
from portal.venues.paper.exports.venue_part import PaperExports
from portal.venues.paper.ledger import history
from portal.venues.paper.orders import cancellation, placement, queries, trades
from portal.venues.paper.prices import markets
from portal.venues.types import (
    Allocation,
    Asset,
    Balance,
    Book,
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
    WithdrawalRow,
)


class PaperVenue(PaperExports):
    """Fulfils `Venue`; what each answer means stands there."""

    name = "paper"

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
        return markets.trades(pair, since, count)

    def spread(self, pair: str, since: datetime | None) -> Sequence[Quote]:
        """By the reference prices of the last seconds."""
        return markets.spread(pair, since)

    def convert(self, asset: str, units: int, into: str) -> Decimal:
        """By the reference prices of this second."""
        return markets.convert(asset, units, into)

    def balances(self, account_id: int) -> Sequence[Balance]:
        """As they stand once all that has come due is carried out."""
        return clock.balances_now(account_id)

    def ledger(self, account_id: int, query: LedgerQuery) -> LedgerPage:
        """After what has come due is booked."""
        catch_up(account_id)
        return history.page(account_id, query)

    def ledger_rows(self, account_id: int, ids: Sequence[str]) -> Sequence[LedgerRow]:
        """After what has come due is booked."""
        catch_up(account_id)
        return history.rows(account_id, ids)

    def trade_balance(self, account_id: int, asset: str) -> TradeBalance:
        """The balances at the reference prices of this second: there is no margin here."""
        return trades.balance(asset, self.balances(account_id))

    def place_order(self, account_id: int, order: NewOrder) -> OrderRow:
        """Under the lock of the Account's balances, after what has come due."""
        return placement.place(account_id, order)

    def cancel_orders(
        self, account_id: int, *, order_id: str = "", userref: int | None = None, cl_ord_id: str = ""
    ) -> int:
        """Under the lock of the Account's balances; what prices have crossed by then is filled first."""
        return cancellation.cancel(account_id, order_id=order_id, userref=userref, cl_ord_id=cl_ord_id)

    def cancel_all_orders(self, account_id: int) -> int:
        """The same for every one."""
        return cancellation.cancel_all(account_id)

    def open_orders(self, account_id: int, query: OpenQuery) -> Sequence[OrderRow]:
        """After what prices have crossed is filled."""
        catch_up(account_id)
        return queries.open_orders(account_id, query)

    def closed_orders(self, account_id: int, query: ClosedQuery) -> OrderPage:
        """After what prices have crossed is filled."""
        catch_up(account_id)
        return queries.closed_orders(account_id, query)

    def orders(self, account_id: int, ids: Sequence[str], query: OpenQuery) -> Sequence[OrderRow]:
        """After what prices have crossed is filled."""
        catch_up(account_id)
        return queries.orders(account_id, ids, query)

    def trades(self, account_id: int, query: TradeQuery) -> TradePage:
        """After what prices have crossed is filled."""
        catch_up(account_id)
        return trades.page(account_id, query)

    def trade_rows(self, account_id: int, ids: Sequence[str], query: TradeQuery) -> Sequence[TradeRow]:
        """After what prices have crossed is filled."""
        catch_up(account_id)
        return trades.rows(account_id, ids, query)

    def trade_volume(self, account_id: int, pairs: Sequence[str]) -> TradeVolume:
        """After what prices have crossed is filled: it counts too."""
        catch_up(account_id)
        return trades.volume(account_id, pairs)

    def settle_due(self, limit: int) -> int:
        """Orders, Earn and deposits first, then exports with what is left of `limit`."""
        done = clock.settle_due(limit)
        return done + writing.make_due(limit=limit - done)

    def deposit_methods(self, asset: str) -> Sequence[DepositMethod]:
        """The simulated networks by which the asset comes in."""
        return addresses.methods(catalogue.asset(asset).id)

    def deposit_addresses(self, account_id: int, asset: str, method: str, *, new: bool) -> Sequence[DepositAddress]:
        """Made up, and kept; nobody else can send to them."""
        return addresses.addresses(account_id, asset, method, new=new)

    def has_deposit_address(self, account_id: int, asset: str, method: str) -> bool:
        """Whether a row is there."""
        return addresses.has_one(account_id, asset, method)

    def deposits(self, account_id: int, query: DepositQuery) -> DepositPage:
        """At the stages that their stored times say, after what has come due is booked."""
        catch_up(account_id)
        return incoming.page(account_id, query)

    def simulate_deposit(self, account_id: int, asset: str, amount: Decimal) -> DepositRow:
        """By the usual network of the asset; money is never real here."""
        return incoming.row(arrival.send(account_id, asset, amount))

    def strategies(self, asset: str) -> Sequence[Strategy]:
        """A closed list, in code."""
        return strategies.of_asset(asset)

    def allocations(self, account_id: int) -> Sequence[Allocation]:
        """After rewards that have come due are paid."""
        catch_up(account_id)
        return earning.allocations(account_id)

    def allocate(self, account_id: int, strategy_id: str, amount: Decimal) -> None:
        """Under the lock of the Account's balances; done when its time has come."""
        allocation.allocate(account_id, strategy_id, amount)

    def deallocate(self, account_id: int, strategy_id: str, amount: Decimal) -> None:
        """Under the lock of the Account's balances; done when its time has come."""
        allocation.deallocate(account_id, strategy_id, amount)

    def earn_pending(self, account_id: int, strategy_id: str, operation: EarnOperation) -> bool:
        """By the clock, whether or not anybody has written down that it ended."""
        return allocation.pending(account_id, strategy_id, operation)

    def withdrawal_methods(self) -> Sequence[WithdrawalMethod]:
        """The simulated networks, each with what it takes."""
        return networks.METHODS

    def withdrawal_method(self, asset: str, name: str) -> WithdrawalMethod:
        """Out of the same list."""
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
    ) -> WithdrawalRow:
        """A row in the database and less free balance, in the caller's transaction."""
        catch_up(account_id)
        return withdrawals.hold(
            account_id,
            reference=reference,
            asset=asset,
            amount_units=amount_units,
            destination=destination,
            max_fee_units=max_fee_units,
        )

    def send_withdrawal(self, reference: str) -> WithdrawalRow:
        """The ledger entry, in the caller's transaction; its stages then follow the clock."""
        return withdrawals.send(reference)

    def release_withdrawal(self, reference: str) -> WithdrawalRow:
        """The amount is free again, in the caller's transaction."""
        return withdrawals.release(reference)

    def release_withdrawals(self, references: Sequence[str]) -> int:
        """The amounts are free again."""
        return withdrawals.release_all(references)

    def deny_cancel(self, reference: str) -> None:
        """A mark on a row that is not sent yet."""
        withdrawals.deny_cancel(reference)

    def withdrawal(self, reference: str) -> WithdrawalRow:
        """At the stage that its stored times say."""
        return withdrawals.one(reference)

    def withdrawals(self, account_id: int, query: WithdrawalQuery) -> WithdrawalPage:
        """Each at the stage that its stored times say."""
        return withdrawals.page(account_id, query)

    def withdrawals_by_reference(self, references: Sequence[str]) -> dict[str, WithdrawalRow]:
        """Each at the stage that its stored times say."""
        return withdrawals.by_reference(references)
