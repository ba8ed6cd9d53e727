"""Which permissions open which private method, for every method the protocol knows (reference §6, after the guide)."""

from functools import cache
from typing import Final

from accounts.api_keys.lifecycle import Credential
from accounts.models.service_user import PERMISSION_GROUPS, Permission

WEBSOCKET: Final = "create-ws-token"

ANY_KEY: Final[frozenset[str]] = frozenset()
FUNDS = frozenset({Permission.QUERY_FUNDS.value})
DEPOSIT = frozenset({Permission.DEPOSIT.value})
WITHDRAW = frozenset({Permission.WITHDRAW.value})
EARN = frozenset({Permission.EARN.value})
OPEN = frozenset({Permission.QUERY_OPEN.value})
CLOSED = frozenset({Permission.QUERY_CLOSED.value})
MODIFY = frozenset({Permission.MODIFY.value})
CLOSE = frozenset({Permission.CLOSE.value})
LEDGER = frozenset({Permission.QUERY_LEDGER.value})
EXPORT = frozenset({Permission.EXPORT.value})

# One of the named permissions is enough; an empty set asks for a valid key alone. What has no row does not exist.
PERMISSIONS: Final[dict[str, frozenset[str]]] = {
    # Account data
    "Balance": FUNDS,
    "BalanceEx": FUNDS,
    "CreditLines": FUNDS,
    "TradeVolume": FUNDS,
    "TradeBalance": OPEN | FUNDS,
    "OpenOrders": OPEN,
    "OpenPositions": OPEN,
    "Level3": OPEN,
    "QueryOrders": OPEN | CLOSED,
    "OrderAmends": OPEN | CLOSED,
    "ClosedOrders": CLOSED,
    "TradesHistory": CLOSED,
    "QueryTrades": CLOSED,
    "Ledgers": LEDGER,
    "QueryLedgers": LEDGER,
    "AddExport": EXPORT,
    "ExportStatus": EXPORT,
    "RetrieveExport": EXPORT,
    "RemoveExport": EXPORT,
    "GetApiKeyInfo": ANY_KEY,
    "GetWebSocketsToken": frozenset({WEBSOCKET}),
    # Trading
    "AddOrder": MODIFY,
    "AddOrderBatch": MODIFY,
    "AmendOrder": MODIFY,
    "EditOrder": MODIFY,
    "CancelOrder": CLOSE,
    "CancelOrderBatch": CLOSE,
    "CancelAll": CLOSE,
    "CancelAllOrdersAfter": CLOSE,
    # Funding
    "DepositMethods": DEPOSIT,
    "DepositAddresses": DEPOSIT | FUNDS,
    "DepositStatus": DEPOSIT | FUNDS,
    "WithdrawMethods": WITHDRAW,
    "WithdrawAddresses": WITHDRAW,
    "WithdrawInfo": WITHDRAW,
    "Withdraw": WITHDRAW,
    "WithdrawStatus": WITHDRAW | FUNDS,
    "WithdrawCancel": WITHDRAW,
    "WalletTransfer": FUNDS,
    "CreateSubaccount": WITHDRAW,
    "AccountTransfer": WITHDRAW,
    # Earn
    "Earn/Strategies": ANY_KEY,
    "Earn/Allocations": FUNDS,
    "Earn/Allocate": EARN,
    "Earn/Deallocate": EARN,
    "Earn/AllocateStatus": EARN | FUNDS,
    "Earn/DeallocateStatus": EARN | FUNDS,
}

# Methods that move nothing, make nothing and write nothing down: the disk need not hold their nonces before they are
# answered. What one of them finds due is carried out, and kept, in a transaction of its own.
READING: Final = frozenset(
    {
        "Balance",
        "BalanceEx",
        "TradeVolume",
        "TradeBalance",
        "OpenOrders",
        "OpenPositions",
        "QueryOrders",
        "ClosedOrders",
        "TradesHistory",
        "QueryTrades",
        "Ledgers",
        "QueryLedgers",
        "GetApiKeyInfo",
        "DepositMethods",
        "DepositStatus",
        "WithdrawMethods",
        "WithdrawAddresses",
        "WithdrawInfo",
        "WithdrawStatus",
        "Earn/Strategies",
        "Earn/Allocations",
        "Earn/AllocateStatus",
        "Earn/DeallocateStatus",
    }
)

# Private channels of a socket, and the method that tells the same: the key needs what opens that (reference §13).
CHANNELS: Final[dict[str, str]] = {
    "executions": "OpenOrders",
    "executions with snap_trades": "TradesHistory",
    "balances": "Balance",
}

# The call counter's cost of one call; every other method costs 1 (reference §5).
COSTS: Final[dict[str, float]] = {
    "Ledgers": 2.0,
    "QueryLedgers": 2.0,
    "TradesHistory": 2.0,
    "ClosedOrders": 2.0,
    "AddOrder": 0.0,
    "AddOrderBatch": 0.0,
    "AmendOrder": 0.0,
    "EditOrder": 0.0,
    "CancelOrder": 0.0,
    "CancelOrderBatch": 0.0,
}

# The same of a public method, on the counter of the source: a page of trades takes as long as so many others.
PUBLIC_COSTS: Final[dict[str, float]] = {"Trades": 25.0}


def held_by(credential: Credential) -> frozenset[str]:
    """What the key may do, the WebSocket setting counted in."""
    return credential.permissions | {WEBSOCKET} if credential.websocket else credential.permissions


def opens(permissions: frozenset[str], method: str) -> bool:
    """Whether a key with these permissions may call the method."""
    needed = PERMISSIONS[method]
    return not needed or not needed.isdisjoint(permissions)


def in_words(method: str) -> str:
    """The permissions that open a method, as the pages call them: `Funds: Query or Data: Query ledger`."""
    needed = PERMISSIONS[method]
    labels = [
        f"{group}: {permission.label}"
        for group, held in PERMISSION_GROUPS.items()
        for permission in held
        if permission.value in needed
    ]
    return " or ".join(labels) or ("the WebSocket setting" if WEBSOCKET in needed else "no permission")


@cache
def kind_of(method: str) -> str:
    """What sort of call it is, for the count on the pages."""
    if PERMISSIONS[method] & (MODIFY | CLOSE):
        return "Orders"
    if method.startswith("Earn/"):
        return "Earn"
    if WEBSOCKET in PERMISSIONS[method]:
        return "Streaming"
    return "Funding" if method.startswith(("Deposit", "Withdraw", "WalletTransfer")) else "Queries"
