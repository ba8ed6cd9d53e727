"""What happens to an Account, as it is journalled."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from portal.venues.types.assets import Asset
from portal.venues.types.orders import OrderRow
from portal.venues.types.trades import TradeRow


class OrderChange(StrEnum):
    """What happened to an order. One that trades is closed by its last TRADE; the other two ends are events."""

    NEW = "new"
    TRADE = "trade"
    CANCELED = "canceled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """One movement of an Account's balance. The balance moved by `amount` - `fee`.

    `balance` is what the Account has of the asset after it, with everything that is held for orders and withdrawals.
    """

    at: datetime
    ledger_id: str
    reference: str
    kind: str
    subkind: str
    asset: Asset
    amount: Decimal
    balance: Decimal
    fee: Decimal


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """One change of an order, which is as after it; neither it nor the trade names ids of trades or ledger rows.

    `trade` is there for a TRADE only.
    """

    at: datetime
    change: OrderChange
    order: OrderRow
    trade: TradeRow | None = None


Event = LedgerEvent | OrderEvent
