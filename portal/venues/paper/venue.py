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
        return catalogue.ASSETS

    def asset(self, name: str) -> Asset:
        return catalogue.asset(name)

    def pairs(self) -> Sequence[Pair]:
        return catalogue.PAIRS

    def pair(self, name: str) -> Pair:
        return catalogue.pair(name)

    def schedule(self, pair: str) -> Schedule:
        return fees.schedule(catalogue.pair(pair))

    def tickers(self, pairs: Sequence[str]) -> Sequence[Ticker]:
        return markets.tickers(pairs)

    def depth(self, pair: str, count: int) -> Book:
        return markets.depth(pair, count)

    def public_trades(self, pair: str, since: datetime | None, count: int) -> Sequence[PublicTrade]:
        return markets.trades(pair, since, count)

    def spread(self, pair: str, since: datetime | None) -> Sequence[Quote]:
        return markets.spread(pair, since)

    def convert(self, asset: str, units: int, into: str) -> Decimal:
        return markets.convert(asset, units, into)

    def balances(self, account_id: int) -> Sequence[Balance]:
        return clock.balances_now(account_id)

    def ledger(self, account_id: int, query: LedgerQuery) -> LedgerPage:
        catch_up(account_id)
        return history.page(account_id, query)

    def ledger_rows(self, account_id: int, ids: Sequence[str]) -> Sequence[LedgerRow]:
        catch_up(account_id)
        return history.rows(account_id, ids)

    def trade_balance(self, account_id: int, asset: str) -> TradeBalance:
        return trades.balance(asset, self.balances(account_id))

    def place_order(self, account_id: int, order: NewOrder) -> OrderRow:
        return placement.place(account_id, order)

    def cancel_orders(
        self, account_id: int, *, order_id: str = "", userref: int | None = None, cl_ord_id: str = ""
    ) -> int:
        return cancellation.cancel(account_id, order_id=order_id, userref=userref, cl_ord_id=cl_ord_id)

    def cancel_all_orders(self, account_id: int) -> int:
        return cancellation.cancel_all(account_id)

    def open_orders(self, account_id: int, query: OpenQuery) -> Sequence[OrderRow]:
        catch_up(account_id)
        return queries.open_orders(account_id, query)

    def closed_orders(self, account_id: int, query: ClosedQuery) -> OrderPage:
        catch_up(account_id)
        return queries.closed_orders(account_id, query)

    def orders(self, account_id: int, ids: Sequence[str], query: OpenQuery) -> Sequence[OrderRow]:
        catch_up(account_id)
        return queries.orders(account_id, ids, query)

    def trades(self, account_id: int, query: TradeQuery) -> TradePage:
        catch_up(account_id)
        return trades.page(account_id, query)

    def trade_rows(self, account_id: int, ids: Sequence[str], query: TradeQuery) -> Sequence[TradeRow]:
        catch_up(account_id)
        return trades.rows(account_id, ids, query)

    def trade_volume(self, account_id: int, pairs: Sequence[str]) -> TradeVolume:
        catch_up(account_id)
        return trades.volume(account_id, pairs)

    def settle_due(self, limit: int) -> int:
        done = clock.settle_due(limit)
        return done + writing.make_due(limit=limit - done)

    def deposit_methods(self, asset: str) -> Sequence[DepositMethod]:
        return addresses.methods(catalogue.asset(asset).id)

    def deposit_addresses(self, account_id: int, asset: str, method: str, *, new: bool) -> Sequence[DepositAddress]:
        return addresses.addresses(account_id, asset, method, new=new)

    def has_deposit_address(self, account_id: int, asset: str, method: str) -> bool:
        return addresses.has_one(account_id, asset, method)

    def deposits(self, account_id: int, query: DepositQuery) -> DepositPage:
        catch_up(account_id)
        return incoming.page(account_id, query)

    def simulate_deposit(self, account_id: int, asset: str, amount: Decimal) -> DepositRow:
        return incoming.row(arrival.send(account_id, asset, amount))

    def strategies(self, asset: str) -> Sequence[Strategy]:
        return strategies.of_asset(asset)

    def allocations(self, account_id: int) -> Sequence[Allocation]:
        catch_up(account_id)
        return earning.allocations(account_id)

    def allocate(self, account_id: int, strategy_id: str, amount: Decimal) -> None:
        allocation.allocate(account_id, strategy_id, amount)

    def deallocate(self, account_id: int, strategy_id: str, amount: Decimal) -> None:
        allocation.deallocate(account_id, strategy_id, amount)

    def earn_pending(self, account_id: int, strategy_id: str, operation: EarnOperation) -> bool:
        return allocation.pending(account_id, strategy_id, operation)

    def withdrawal_methods(self) -> Sequence[WithdrawalMethod]:
        return networks.METHODS

    def withdrawal_method(self, asset: str, name: str) -> WithdrawalMethod:
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
        return withdrawals.send(reference)

    def release_withdrawal(self, reference: str) -> WithdrawalRow:
        return withdrawals.release(reference)

    def release_withdrawals(self, references: Sequence[str]) -> int:
        return withdrawals.release_all(references)

    def deny_cancel(self, reference: str) -> None:
        withdrawals.deny_cancel(reference)

    def withdrawal(self, reference: str) -> WithdrawalRow:
        return withdrawals.one(reference)

    def withdrawals(self, account_id: int, query: WithdrawalQuery) -> WithdrawalPage:
        return withdrawals.page(account_id, query)

    def withdrawals_by_reference(self, references: Sequence[str]) -> dict[str, WithdrawalRow]:
        return withdrawals.by_reference(references)
