"""Method names of the protocol, and the view behind each; every private one has a row in `permissions` too."""

from collections.abc import Callable
from typing import Final, TypeAlias

from portal.api.caller import Caller
from portal.api.envelope import JSON
from portal.api.parameters import Parameters
from portal.api.views import account, funding, public

PublicView: TypeAlias = Callable[[Parameters], JSON]
PrivateView: TypeAlias = Callable[[Caller, Parameters], JSON]

PUBLIC: Final[dict[str, PublicView]] = {
    "Time": public.time,
    "SystemStatus": public.system_status,
    "Assets": public.assets,
    "AssetPairs": public.asset_pairs,
}
PUBLIC_LATER: Final = frozenset({"Ticker", "OHLC", "Depth", "Trades", "Spread"})

PRIVATE: Final[dict[str, PrivateView]] = {
    "GetApiKeyInfo": account.key_info,
    "Balance": account.balance,
    "BalanceEx": account.balance_extended,
    "Ledgers": account.ledgers,
    "QueryLedgers": account.query_ledgers,
    "WithdrawMethods": funding.withdraw_methods,
    "WithdrawAddresses": funding.withdraw_addresses,
    "WithdrawInfo": funding.withdraw_info,
    "Withdraw": funding.withdraw,
    "WithdrawStatus": funding.withdraw_status,
    "WithdrawCancel": funding.withdraw_cancel,
}
