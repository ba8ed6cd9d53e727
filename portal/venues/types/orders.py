"""Orders. Prices, volumes, costs and fees are Decimals at the pair's fixed places."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from portal.venues.types.assets import Pair


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


class OrderKind(StrEnum):
    """Those that are placed here; OTHER is one that only its exchange knows, and its `said` has the words for it."""

    MARKET = "market"
    LIMIT = "limit"
    OTHER = "other"


# What can be asked for by name.
PLACED: Final = (OrderKind.MARKET, OrderKind.LIMIT)


class TimeInForce(StrEnum):
    """Until cancelled, at once or not at all, or until `expires_at`."""

    GTC = "GTC"
    IOC = "IOC"
    GTD = "GTD"


class OrderStatus(StrEnum):
    """PENDING is an order that its exchange has taken, and that waits for a trigger or for others."""

    PENDING = "pending"
    OPEN = "open"
    CLOSED = "closed"
    CANCELED = "canceled"
    EXPIRED = "expired"


class CloseTime(StrEnum):
    """Which of an order's times a query asks about."""

    OPEN = "open"
    CLOSE = "close"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order to be placed. `pair` under any spelling; `price` for limit orders only; `expires_at` for GTD only.

    `cl_ord_id` and `userref` exclude each other. With `only_validate` what is written is looked at, not whether there
    is money or room for it, and nothing is placed.
    """

    pair: str
    side: Side
    kind: OrderKind
    volume: Decimal
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    expires_at: datetime | None = None
    is_post_only: bool = False
    userref: int | None = None
    cl_ord_id: str | None = None
    deadline: datetime | None = None
    only_validate: bool = False


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as it stands. `id` is empty if it was only validated, `price` zero for a market order.

    `average_price` is that of what has been filled, zero if nothing has. `trades` are trade ids, oldest first, if they
    were asked for. `said` is the whole order in the words of its exchange, where they say more than all of this.
    """

    id: str
    pair: Pair
    side: Side
    kind: OrderKind
    status: OrderStatus
    reason: str
    time_in_force: TimeInForce
    is_post_only: bool
    userref: int | None
    cl_ord_id: str | None
    opened_at: datetime
    closed_at: datetime | None
    expires_at: datetime | None
    price: Decimal
    volume: Decimal
    filled_volume: Decimal
    cost: Decimal
    fee: Decimal
    average_price: Decimal
    trades: tuple[str, ...] = ()
    said: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ToldOrder:
    """An order as OrderRow has it, in whole units of the pair's last places, for those who ask again and again.

    Costs and fees are in units of `pair.cost_decimals`. It is equal to itself alone, so that what is made of it is
    found quickly: as long as nothing about it changes, its venue gives the same object.
    """

    id: str
    pair: Pair
    side: str
    kind: str
    status: str
    reason: str
    is_post_only: bool
    userref: int | None
    cl_ord_id: str | None
    opened_at: datetime
    closed_at: datetime | None
    expires_at: datetime | None
    price_units: int
    volume_units: int
    filled_units: int
    cost_units: int
    fee_units: int
    average_units: int


@dataclass(frozen=True, slots=True)
class OpenQuery:
    """Open orders, newest first, all of them: the venue bounds how many there can be."""

    userref: int | None = None
    cl_ord_id: str | None = None
    with_trades: bool = False
    seen_from: datetime | None = None
    seen_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClosedQuery:
    """Orders no longer open, fifty at most, newest first by when they closed.

    `after` is exclusive and `until` inclusive; `after_id` and `until_id` name an order of the Account in their place.
    `close_time` says which time they bound: BOTH asks that the order opened and closed within.
    """

    userref: int | None = None
    cl_ord_id: str | None = None
    after: datetime | None = None
    until: datetime | None = None
    after_id: str = ""
    until_id: str = ""
    close_time: CloseTime = CloseTime.BOTH
    offset: int = 0
    with_count: bool = True
    with_trades: bool = False
    seen_from: datetime | None = None
    seen_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Fifty rows at most, and how many there are on all pages (None if not asked)."""

    rows: tuple[OrderRow, ...]
    count: int | None
