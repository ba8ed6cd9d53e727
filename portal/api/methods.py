"""Method names of the protocol, and what answers each; every private one has a row in `permissions` too."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

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
    streaming,
    trading,
)
from portal.api.protocol.envelope import JSON, Result
from portal.api.protocol.parameters import NoParameters, read
from portal.api.protocol.request_body import Fields

P = TypeVar("P")


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
class PrivateMethod:
    """What a key may call, and what it may be told."""

    parameters: type[object]
    view: Callable[[Caller, Any], Result]
    file_types: tuple[str, ...] = ()

    def answer(self, caller: Caller, given: Fields) -> Result:
        """Read the fields as `parameters` says, and answer for that key.

        Raises: ApiError for a field that cannot be; what the method itself refuses.
        """
        return self.view(caller, read(self.parameters, given))


def public_method(parameters: type[P], view: Callable[[P], JSON]) -> PublicMethod:
    """A row of the table; the types of both sides have to agree."""
    return PublicMethod(parameters, view)


def private_method(
    parameters: type[P], view: Callable[[Caller, P], Result], file_types: tuple[str, ...] = ()
) -> PrivateMethod:
    """A row of the table; `file_types` are the media types of an answer that is a file."""
    return PrivateMethod(parameters, view, file_types)


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
    "Balance": private_method(NoParameters, account.balance),
    "BalanceEx": private_method(NoParameters, account.balance_extended),
    "TradeBalance": private_method(account.TradeBalance, account.trade_balance),
    "TradeVolume": private_method(account.TradeVolume, account.trade_volume),
    "Ledgers": private_method(ledger.Ledgers, ledger.ledgers),
    "QueryLedgers": private_method(ledger.QueryLedgers, ledger.query_ledgers),
    "OpenOrders": private_method(orders.OpenOrders, orders.open_orders),
    "ClosedOrders": private_method(orders.ClosedOrders, orders.closed_orders),
    "QueryOrders": private_method(orders.QueryOrders, orders.query_orders),
    "TradesHistory": private_method(orders.TradesHistory, orders.trades_history),
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
