"""What a key with a query window may ask: methods and parameters that are known to tell nothing from outside of it."""

from collections.abc import Mapping
from typing import Final

from portal.venues.errors import NotSeen
from portal.venues.kraken.relay.methods import TRADING

# They tell nothing of what was: they act, or say how things are for everybody.
TIMELESS: Final = TRADING | {
    "DepositMethods",
    "DepositAddresses",
    "Earn/Strategies",
    "Earn/Allocate",
    "Earn/Deallocate",
    "Level3",
}
PAGED: Final = frozenset({"start", "end", "ofs", "without_count"})
# How things are now, and what has happened. What some clients send and the exchange does not look at is among them.
KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "Balance": frozenset({"rebase_multiplier"}),
    "BalanceEx": frozenset({"rebase_multiplier"}),
    "CreditLines": frozenset({"rebase_multiplier"}),
    "TradeBalance": frozenset({"asset", "rebase_multiplier"}),
    "TradeVolume": frozenset({"pair", "fee_schedule", "fee-info", "rebase_multiplier"}),
    "OpenOrders": frozenset({"trades", "userref", "cl_ord_id", "rebase_multiplier"}),
    "ClosedOrders": PAGED | {"trades", "userref", "cl_ord_id", "closetime", "consolidate_taker", "rebase_multiplier"},
    "QueryOrders": frozenset({"txid", "trades", "userref", "consolidate_taker", "rebase_multiplier"}),
    "OrderAmends": frozenset({"order_id", "rebase_multiplier"}),
    "TradesHistory": PAGED | {"type", "trades", "consolidate_taker", "ledgers", "rebase_multiplier"},
    "QueryTrades": frozenset({"txid", "trades", "rebase_multiplier"}),
    "OpenPositions": frozenset({"txid", "docalcs", "consolidation", "rebase_multiplier"}),
    "Ledgers": PAGED | {"asset", "aclass", "type", "rebase_multiplier"},
    "QueryLedgers": frozenset({"id", "trades", "rebase_multiplier"}),
    "AddExport": frozenset({"report", "description", "format", "fields", "starttm", "endtm"}),
    "ExportStatus": frozenset({"report"}),
    "RetrieveExport": frozenset({"id"}),
    "RemoveExport": frozenset({"id", "type"}),
    "DepositStatus": frozenset({"asset", "aclass", "method", "start", "end", "cursor", "limit", "rebase_multiplier"}),
    "Earn/Allocations": frozenset({"ascending", "converted_asset", "hide_zero_allocations"}),
    "Earn/AllocateStatus": frozenset({"strategy_id"}),
    "Earn/DeallocateStatus": frozenset({"strategy_id"}),
}


def refuse_unbounded(method: str, fields: Mapping[str, object]) -> None:
    """Raises: NotSeen for what might tell more than the window shows."""
    if method in TIMELESS:
        return
    if method not in KNOWN:
        raise NotSeen("It is not known what of its answer a key with query dates may see.")
    for name in sorted(fields.keys() - KNOWN[method]):
        raise NotSeen(f"It is not known what “{name}” shows a key with query dates.", field=name)
