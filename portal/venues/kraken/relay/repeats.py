"""What may be repeated: one table of what is done when the exchange's answer does not say how a call went.

A call that may not be repeated blindly is looked for first, in what the exchange shows by then (`looking`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from portal.venues.kraken.relay.values import flag, may_say_yes, text

NONCE: Final = "EAPI:Invalid nonce"
THROTTLED: Final = ("EService:Throttled", "EService: Throttled")
# The exchange had no time for it, or failed at it: another try may go well, and it may have been done all the same.
OVERLOADED: Final = (
    "EService:Unavailable",
    "EService:Busy",
    "EService:Timeout",
    "EGeneral:Internal error",
    *THROTTLED,
)


class Sort(Enum):
    """What a call does at the exchange, as far as repeating it goes."""

    QUERY = auto()
    CANCEL = auto()
    # An order that can be found again by a name that the bot gave it.
    NAMED_ORDER = auto()
    ORDER = auto()
    CHANGE = auto()
    EARN = auto()
    LISTED = auto()
    # What this version does not know.
    UNKNOWN = auto()


class Then(Enum):
    """What happens next."""

    REPEAT = auto()
    # Ask the exchange what has become of it before anything else.
    LOOK = auto()
    # Say that nobody knows, and never send it again.
    GIVE_UP = auto()
    # Give the bot what the exchange has answered.
    PASS = auto()


@dataclass(frozen=True, slots=True)
class Rule:
    """After a lost answer; after one that says that the exchange was overloaded; after an invalid nonce, once."""

    lost: Then
    overloaded: Then
    nonce: Then


RULES: Final[Mapping[Sort, Rule]] = {
    Sort.QUERY: Rule(lost=Then.REPEAT, overloaded=Then.REPEAT, nonce=Then.REPEAT),
    Sort.CANCEL: Rule(lost=Then.REPEAT, overloaded=Then.REPEAT, nonce=Then.REPEAT),
    Sort.NAMED_ORDER: Rule(lost=Then.LOOK, overloaded=Then.LOOK, nonce=Then.PASS),
    Sort.ORDER: Rule(lost=Then.GIVE_UP, overloaded=Then.PASS, nonce=Then.PASS),
    Sort.CHANGE: Rule(lost=Then.LOOK, overloaded=Then.LOOK, nonce=Then.PASS),
    Sort.EARN: Rule(lost=Then.LOOK, overloaded=Then.LOOK, nonce=Then.LOOK),
    Sort.LISTED: Rule(lost=Then.LOOK, overloaded=Then.LOOK, nonce=Then.LOOK),
    Sort.UNKNOWN: Rule(lost=Then.GIVE_UP, overloaded=Then.PASS, nonce=Then.PASS),
}

QUERIES: Final = frozenset(
    {
        "Balance",
        "BalanceEx",
        "CreditLines",
        "TradeVolume",
        "TradeBalance",
        "OpenOrders",
        "OpenPositions",
        "Level3",
        "QueryOrders",
        "OrderAmends",
        "ClosedOrders",
        "TradesHistory",
        "QueryTrades",
        "Ledgers",
        "QueryLedgers",
        "ExportStatus",
        "RetrieveExport",
        "DepositMethods",
        "DepositStatus",
        "Earn/Strategies",
        "Earn/Allocations",
        "Earn/AllocateStatus",
        "Earn/DeallocateStatus",
    }
)
VALIDATED: Final = frozenset({"AddOrder", "AddOrderBatch", "EditOrder"})
# Of a cancellation a second one finds nothing left to do.
SORTS: Final[Mapping[str, Sort]] = {
    **dict.fromkeys(
        ("CancelOrder", "CancelOrderBatch", "CancelAll", "CancelAllOrdersAfter", "RemoveExport"), Sort.CANCEL
    ),
    **dict.fromkeys(("AmendOrder", "EditOrder"), Sort.CHANGE),
    **dict.fromkeys(("Earn/Allocate", "Earn/Deallocate"), Sort.EARN),
    "AddExport": Sort.LISTED,
}


def sort_of(method: str, fields: Mapping[str, Any]) -> Sort:
    """Which line of the table the call stands in."""
    if method in QUERIES or (method in VALIDATED and flag(fields, "validate")):
        # Where it is only validated nothing is placed.
        return Sort.QUERY
    if method == "AddOrder":
        return Sort.NAMED_ORDER if is_named(fields) else Sort.ORDER
    if method == "AddOrderBatch":
        orders = fields.get("orders")
        are_named = isinstance(orders, list) and all(isinstance(each, dict) and is_named(each) for each in orders)
        return Sort.NAMED_ORDER if orders and are_named else Sort.ORDER
    if method == "DepositAddresses":
        return Sort.LISTED if may_say_yes(fields, "new") else Sort.QUERY
    return SORTS.get(method, Sort.UNKNOWN)


def is_named(order: Mapping[str, Any]) -> bool:
    """Whether the bot gave the order a name of its own. A number for nothing, zero, is none."""
    return text(order, "cl_ord_id") != "" or text(order, "userref") not in ("", "0")


def is_overloaded(errors: tuple[str, ...]) -> bool:
    """Whether the exchange had no time for the call, or failed at it."""
    return any(error.startswith(OVERLOADED) for error in errors)


def is_nonce(errors: tuple[str, ...]) -> bool:
    """Whether the exchange found the nonce too low: nothing was done."""
    return any(error.startswith(NONCE) for error in errors)


def throttled_until(errors: tuple[str, ...]) -> float | None:
    """The Unix time before which the exchange wants no further call; None if it names none."""
    for error in errors:
        if error.startswith(THROTTLED):
            said = error.rpartition(":")[2].strip()
            return float(said) if said.isdecimal() and len(said) < 12 else None
    return None
