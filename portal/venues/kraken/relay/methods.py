"""Which methods are sent on, which keep their order, and which permission of the exchange each needs."""

import re
from collections.abc import Mapping
from typing import Final

from portal.core.errors import Invalid, Refused
from portal.venues.errors import NotServed

PAST_APPROVALS: Final = (
    "This would move money out of the Account past the approvals that a withdrawal needs. It is never sent on."
)
NO_SOCKETS: Final = "Sockets tell of Accounts of the paper exchange only. Ask by calls instead."

# Answered here: about a key of ours, or governed.
OURS: Final = frozenset(
    {
        "GetApiKeyInfo",
        "Withdraw",
        "WithdrawAddresses",
        "WithdrawCancel",
        "WithdrawInfo",
        "WithdrawMethods",
        "WithdrawStatus",
    }
)
MOVING: Final = frozenset({"AccountTransfer", "CreateSubaccount", "WalletTransfer"})
SOCKET: Final = "GetWebSocketsToken"

# Calls that keep their order among themselves, Account by Account.
TRADING: Final = frozenset(
    {
        "AddOrder",
        "AddOrderBatch",
        "AmendOrder",
        "EditOrder",
        "CancelOrder",
        "CancelOrderBatch",
        "CancelAll",
        "CancelAllOrdersAfter",
    }
)

# What a credential needs at the exchange, in its own words; none where any will do.
NEEDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("Balance", "BalanceEx", "CreditLines", "TradeVolume", "DepositAddresses", "DepositStatus"), "query-funds"
    ),
    **dict.fromkeys(("Earn/Allocations", "Earn/AllocateStatus", "Earn/DeallocateStatus"), "query-funds"),
    **dict.fromkeys(("TradeBalance", "OpenOrders", "OpenPositions", "Level3"), "query-open-trades"),
    **dict.fromkeys(
        ("QueryOrders", "OrderAmends", "ClosedOrders", "TradesHistory", "QueryTrades"), "query-closed-trades"
    ),
    **dict.fromkeys(("Ledgers", "QueryLedgers"), "query-ledger"),
    **dict.fromkeys(("AddExport", "ExportStatus", "RetrieveExport", "RemoveExport"), "export-data"),
    **dict.fromkeys(("AddOrder", "AddOrderBatch", "AmendOrder", "EditOrder"), "modify-trades"),
    **dict.fromkeys(("CancelOrder", "CancelOrderBatch", "CancelAll", "CancelAllOrdersAfter"), "close-trades"),
    "DepositMethods": "add-funds",
    **dict.fromkeys(("Earn/Allocate", "Earn/Deallocate"), "earn-funds"),
}


# What is read here of a call before it is sent on. Said by nearly that name it would be passed on unread.
READ: Final = frozenset(
    {
        "nonce",
        "otp",
        "new",
        "validate",
        "cl_ord_id",
        "userref",
        "txid",
        "order_id",
        "orders",
        "id",
        "start",
        "end",
        "starttm",
        "endtm",
        "closetime",
        "fields",
        "consolidation",
    }
)
UNSPOKEN: Final = re.compile(r"\[[0-9]*\]|[^A-Za-z0-9]")


def refuse_other_spellings(fields: Mapping[str, object]) -> None:
    """`New`, `nonce[]` or `cl-ord-id` could mean to the exchange what was not looked at here. Raises: Invalid."""
    for name in fields:
        base, is_part, _ = name.partition("[")
        if is_part and base in fields:
            raise Invalid(f"“{base}” is said in two ways.", field=base)
        if is_part and _folded(base) in _READ:
            raise Invalid(f"“{name}” is a part of what has none.", field=base)
    for name in fields.keys() - READ:
        if _folded(name) in _READ:
            raise Invalid(f"“{name}” is nearly the name of another parameter.", field=name)


def _folded(name: str) -> str:
    return UNSPOKEN.sub("", name).lower()


_READ: Final = frozenset(map(_folded, READ))


def refuse_unserved(method: str) -> None:
    """Raises: Refused for what would get past approvals, NotServed for sockets."""
    if method in MOVING:
        raise Refused(PAST_APPROVALS)
    if method == SOCKET:
        raise NotServed(NO_SOCKETS)
