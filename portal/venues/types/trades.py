"""Trades, what they cost, and what they add up to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from portal.venues.types.assets import Asset, Pair
from portal.venues.types.orders import OrderKind, Side


@dataclass(frozen=True, slots=True)
class TradeRow:
    """One fill of an order. `number` grows with time; `ledger_ids` are the rows it left in the Account's ledger.

    `said` is what the exchange calls the order's kind, where that is OTHER.
    """

    id: str
    number: int
    order_id: str
    pair: Pair
    at: datetime
    side: Side
    kind: OrderKind
    price: Decimal
    volume: Decimal
    cost: Decimal
    fee: Decimal
    is_maker: bool
    ledger_ids: tuple[str, ...] = ()
    said: str = ""


@dataclass(frozen=True, slots=True)
class TradeQuery:
    """As ClosedQuery, by the time of the trade."""

    after: datetime | None = None
    until: datetime | None = None
    after_id: str = ""
    until_id: str = ""
    offset: int = 0
    with_count: bool = True
    with_ledgers: bool = False
    seen_from: datetime | None = None
    seen_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class TradePage:
    """Fifty rows at most, newest first, and how many there are on all pages (None if not asked)."""

    rows: tuple[TradeRow, ...]
    count: int | None


class ToldTrade(NamedTuple):
    """A trade as TradeRow has it, in units as ToldOrder has them, without its rows of the ledger."""

    id: str
    number: int
    order_id: str
    pair: Pair
    at: datetime
    side: str
    kind: str
    price_units: int
    volume_units: int
    cost_units: int
    fee_units: int
    is_maker: bool


@dataclass(frozen=True, slots=True)
class ToldTrades:
    """Fifty trades at most, newest first, and how many there are on all pages."""

    rows: Sequence[ToldTrade]
    count: int


@dataclass(frozen=True, slots=True)
class FeeTier:
    """From `volume` traded in thirty days on, the fee is `percent` of the cost."""

    volume: Decimal
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Schedule:
    """The tiers of a pair, lowest volume first. Volumes are in ZUSD."""

    taker: tuple[FeeTier, ...]
    maker: tuple[FeeTier, ...]


@dataclass(frozen=True, slots=True)
class Fee:
    """What one side pays now, in percent, and what comes next; None beyond the last tier."""

    percent: Decimal
    minimum: Decimal
    maximum: Decimal
    next_percent: Decimal | None
    next_volume: Decimal | None
    tier_volume: Decimal


@dataclass(frozen=True, slots=True)
class PairFees:
    pair: Pair
    taker: Fee
    maker: Fee


@dataclass(frozen=True, slots=True)
class TradeVolume:
    """What was traded in the last thirty days, in `currency`, and the fees that follow from it."""

    currency: Asset
    volume: Decimal
    fees: tuple[PairFees, ...]


@dataclass(frozen=True, slots=True)
class TradeBalance:
    """An Account's worth in `asset` by the reference prices. There are no positions, so the rest of it is zero.

    `equivalent` counts everything the Account has, `free` leaves out what open orders hold, which is `unexecuted`.
    """

    asset: Asset
    equivalent: Decimal
    free: Decimal
    unexecuted: Decimal
