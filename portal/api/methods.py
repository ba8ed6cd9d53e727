"""Method names of the protocol, and what answers each; every private one has a row in `permissions` too."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

from portal.api.call import Caller
from portal.api.handlers import (
    account,
    deposits,
    earn,
    exports,
    funding,
    ledger,
    markets,
    orders,
    public,
    sent_on,
    streaming,
    trading,
)
from portal.api.permissions import PERMISSIONS
from portal.api.protocol.envelope import JSON, ApiError, Result
from portal.api.protocol.parameters import NoParameters, declared, read
from portal.api.protocol.request_body import Fields
from portal.core.database.reading import Reading
from portal.core.errors import DomainError
from portal.venues.registry import VENUES

P = TypeVar("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PublicMethod:
    """What anybody may call, and what it may be told."""

    parameters: type[object]
    view: Callable[[Any], JSON]
    file_types: tuple[str, ...] = ()

    def answer(self, given: Fields) -> JSON:
        """Read the fields as `parameters` says, and answer.

        Raises: ApiError for a field that cannot be; what the method itself refuses.
        """
        return self.view(read(self.parameters, given))


@dataclass(frozen=True, slots=True)
class Along:
    """How a method is answered by what was read along with the nonce of its call.

    `read` says what to read, or None if the view has to ask by itself; `shown` makes the answer of it. `plain` is what
    a call without any parameter says, None if there is no such call.
    """

    read: Callable[[Caller, Any], Reading[Any] | None]
    shown: Callable[[Any, Any], JSON]
    plain: object | None


@dataclass(frozen=True, slots=True)
class PrivateMethod:
    """What a key may call, and what it may be told."""

    parameters: type[object]
    view: Callable[[Caller, Any], Result]
    file_types: tuple[str, ...] = ()
    along: Along | None = None

    def answer(self, caller: Caller, given: Fields, told: object = None) -> Result:
        """Read the fields as `parameters` says, and answer for that key; with what was read along, if there is that.

        Raises: ApiError for a field that cannot be; what the method itself refuses.
        """
        parameters = read(self.parameters, given)
        if told is not None and self.along is not None:
            return self.along.shown(parameters, told)
        return self.view(caller, parameters)

    def reading(self, caller: Caller, given: Fields) -> Reading[Any] | None:
        """What to read along with the nonce; None if there is no such way, or the fields are not as they should be."""
        if self.along is None:
            return None
        try:
            return self.along.read(caller, read(self.parameters, given))
        except (ApiError, DomainError):
            # `answer` says it, when its turn has come.
            return None


@dataclass(frozen=True, slots=True)
class RelayedMethod:
    """What a key may call whose Account's venue sends the call on."""

    name: str

    def answer(self, caller: Caller, given: Fields, told: object = None) -> Result:
        """What the exchange answers to the same. Raises: ExchangeError; what the venue refuses."""
        return sent_on.sent_on(caller, self.name, given)


Served: TypeAlias = PrivateMethod | RelayedMethod


def public_method(parameters: type[P], view: Callable[[P], JSON]) -> PublicMethod:
    """A row of the table; the types of both sides have to agree."""
    return PublicMethod(parameters, view)


def private_method(
    parameters: type[P], view: Callable[[Caller, P], Result], file_types: tuple[str, ...] = ()
) -> PrivateMethod:
    """A row of the table; `file_types` are the media types of an answer that is a file."""
    return PrivateMethod(parameters, view, file_types)


def read_along(
    parameters: type[P],
    view: Callable[[Caller, P], Result],
    reading: Callable[[Caller, P], Reading[T | None] | None],
    shown: Callable[[P, T], JSON],
) -> PrivateMethod:
    """A row whose answer can be read in the statement that takes the nonce."""
    plain = None if any(each.is_needed for each in declared(parameters)) else parameters()
    return PrivateMethod(parameters, view, along=Along(reading, shown, plain))


PUBLIC: Final[dict[str, PublicMethod]] = {
    "Time": public_method(NoParameters, public.time),
    "SystemStatus": public_method(NoParameters, public.system_status),
    "Assets": public_method(public.Assets, public.assets),
    "AssetPairs": public_method(public.AssetPairs, public.asset_pairs),
    "Ticker": public_method(markets.Ticker, markets.ticker),
    "Depth": public_method(markets.Depth, markets.depth),
    "Trades": public_method(markets.Trades, markets.trades),
    "Spread": public_method(markets.Spread, markets.spread),
}

PRIVATE: Final[dict[str, PrivateMethod]] = {
    "GetApiKeyInfo": private_method(NoParameters, account.key_info),
    "GetWebSocketsToken": private_method(NoParameters, streaming.get_websockets_token),
    "Balance": read_along(NoParameters, account.balance, account.read_balances, account.shown_balance),
    "BalanceEx": read_along(
        NoParameters, account.balance_extended, account.read_balances, account.shown_balance_extended
    ),
    "TradeBalance": private_method(account.TradeBalance, account.trade_balance),
    "TradeVolume": private_method(account.TradeVolume, account.trade_volume),
    "Ledgers": read_along(ledger.Ledgers, ledger.ledgers, ledger.read_ledgers, ledger.shown_ledgers),
    "QueryLedgers": private_method(ledger.QueryLedgers, ledger.query_ledgers),
    "OpenOrders": read_along(orders.OpenOrders, orders.open_orders, orders.read_open_orders, orders.shown_open_orders),
    "ClosedOrders": private_method(orders.ClosedOrders, orders.closed_orders),
    "QueryOrders": read_along(orders.QueryOrders, orders.query_orders, orders.read_orders, orders.shown_orders),
    "TradesHistory": read_along(orders.TradesHistory, orders.trades_history, orders.read_trades, orders.shown_trades),
    "QueryTrades": private_method(orders.QueryTrades, orders.query_trades),
    "OpenPositions": private_method(orders.OpenPositions, orders.open_positions),
    "AddExport": private_method(exports.AddExport, exports.add_export),
    "ExportStatus": private_method(exports.ExportStatus, exports.export_status),
    "RetrieveExport": private_method(exports.RetrieveExport, exports.retrieve_export, file_types=(exports.ZIP,)),
    "RemoveExport": private_method(exports.RemoveExport, exports.remove_export),
    "AddOrder": private_method(trading.AddOrder, trading.add_order),
    "CancelOrder": private_method(trading.CancelOrder, trading.cancel_order),
    "CancelAll": private_method(NoParameters, trading.cancel_all),
    "DepositMethods": private_method(deposits.DepositMethods, deposits.deposit_methods),
    "DepositAddresses": private_method(deposits.DepositAddresses, deposits.deposit_addresses),
    "DepositStatus": private_method(deposits.DepositStatus, deposits.deposit_status),
    "WithdrawMethods": private_method(funding.WithdrawMethods, funding.withdraw_methods),
    "WithdrawAddresses": private_method(funding.WithdrawAddresses, funding.withdraw_addresses),
    "WithdrawInfo": private_method(funding.WithdrawInfo, funding.withdraw_info),
    "Withdraw": private_method(funding.Withdraw, funding.withdraw),
    "WithdrawStatus": private_method(funding.WithdrawStatus, funding.withdraw_status),
    "WithdrawCancel": private_method(funding.WithdrawCancel, funding.withdraw_cancel),
    "Earn/Strategies": private_method(earn.Strategies, earn.strategies),
    "Earn/Allocations": private_method(earn.Allocations, earn.allocations),
    "Earn/Allocate": private_method(earn.Move, earn.allocate),
    "Earn/Deallocate": private_method(earn.Move, earn.deallocate),
    "Earn/AllocateStatus": private_method(earn.Status, earn.allocate_status),
    "Earn/DeallocateStatus": private_method(earn.Status, earn.deallocate_status),
}


# What venues send on to their exchanges, whatever of it is answered here for others.
RELAYED: Final[Mapping[tuple[str, str], RelayedMethod]] = {
    (name, method): RelayedMethod(method)
    for name, venue in VENUES.items()
    for method in PERMISSIONS
    if venue.relays(method)
}
