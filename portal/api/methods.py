"""Method names of the protocol, and what answers each; every private one has a row in `permissions` too."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from portal.api.bodies import Fields
from portal.api.caller import Caller
from portal.api.envelope import JSON, Result
from portal.api.parameters import NoParameters, read
from portal.api.views import account, funding, public

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class PublicMethod:
    """What anybody may call, and what it may be told."""

    parameters: type[object]
    view: Callable[[Any], JSON]

    def answer(self, given: Fields) -> JSON:
        return self.view(read(self.parameters, given))


@dataclass(frozen=True, slots=True)
class PrivateMethod:
    """What a key may call, and what it may be told."""

    parameters: type[object]
    view: Callable[[Caller, Any], Result]

    def answer(self, caller: Caller, given: Fields) -> Result:
        return self.view(caller, read(self.parameters, given))


def public_method(parameters: type[P], view: Callable[[P], JSON]) -> PublicMethod:
    return PublicMethod(parameters, view)


def private_method(parameters: type[P], view: Callable[[Caller, P], Result]) -> PrivateMethod:
    return PrivateMethod(parameters, view)


PUBLIC: Final[dict[str, PublicMethod]] = {
    "Time": public_method(NoParameters, public.time),
    "SystemStatus": public_method(NoParameters, public.system_status),
    "Assets": public_method(public.Assets, public.assets),
    "AssetPairs": public_method(public.AssetPairs, public.asset_pairs),
}
PUBLIC_LATER: Final = frozenset({"Ticker", "OHLC", "Depth", "Trades", "Spread"})

PRIVATE: Final[dict[str, PrivateMethod]] = {
    "GetApiKeyInfo": private_method(NoParameters, account.key_info),
    "Balance": private_method(NoParameters, account.balance),
    "BalanceEx": private_method(NoParameters, account.balance_extended),
    "Ledgers": private_method(account.Ledgers, account.ledgers),
    "QueryLedgers": private_method(account.QueryLedgers, account.query_ledgers),
    "WithdrawMethods": private_method(funding.WithdrawMethods, funding.withdraw_methods),
    "WithdrawAddresses": private_method(funding.WithdrawAddresses, funding.withdraw_addresses),
    "WithdrawInfo": private_method(funding.WithdrawInfo, funding.withdraw_info),
    "Withdraw": private_method(funding.Withdraw, funding.withdraw),
    "WithdrawStatus": private_method(funding.WithdrawStatus, funding.withdraw_status),
    "WithdrawCancel": private_method(funding.WithdrawCancel, funding.withdraw_cancel),
}
