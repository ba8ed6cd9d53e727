"""What goes into a venue and comes out of it: typed, exact, without the wire's spellings."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset. `id` is canonical (`XXBT`), `altname` short (`XBT`), `code` what people call it (`BTC`).

    Amounts have `decimals` places; `shown_decimals` is what a price list would show.
    """

    id: str
    altname: str
    code: str
    decimals: int
    shown_decimals: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two assets that trade against each other. Places and minima as in the protocol reference §8."""

    id: str
    altname: str
    wsname: str
    base: Asset
    quote: Asset
    price_decimals: int
    volume_decimals: int
    cost_decimals: int
    minimum_volume: Decimal
    minimum_cost: Decimal
    tick_size: Decimal


@dataclass(frozen=True, slots=True)
class Balance:
    """What an Account has of one asset, in its smallest unit. `units` already lacks what withdrawals hold."""

    asset: Asset
    units: int
    held_by_orders_units: int
    held_by_withdrawals_units: int


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One movement of an Account's balance. `amount_units` is signed and without the fee."""

    id: str
    reference: str
    at: datetime
    kind: str
    asset: Asset
    amount_units: int
    fee_units: int
    balance_units: int


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """Fifty rows at most, newest first, and how many there are on all pages (None if not asked)."""

    rows: tuple[LedgerRow, ...]
    count: int | None


@dataclass(frozen=True, slots=True)
class LedgerQuery:
    """`after` is exclusive and `until` inclusive, as the protocol's start and end; `offset` counts rows.

    `seen_from` (inclusive) and `seen_before` (exclusive) are the key's own query window.
    """

    assets: tuple[str, ...] = ()
    kind: str = ""
    after: datetime | None = None
    until: datetime | None = None
    offset: int = 0
    with_count: bool = True
    seen_from: datetime | None = None
    seen_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class WithdrawalMethod:
    """One way out for an asset. `fee` and `minimum` are in the asset; `minimum` counts the fee in."""

    asset: Asset
    name: str
    network: str
    fee: Decimal
    minimum: Decimal


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a withdrawal goes, by value."""

    key: str
    address: str
    method: str
    network: str
    memo: str = ""


class Stage(StrEnum):
    """How far a withdrawal has got. Only a venue moves it; HELD waits for people."""

    HELD = "held"
    INITIAL = "initial"
    PENDING = "pending"
    SETTLED = "settled"
    SUCCESS = "success"
    FAILURE = "failure"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class WithdrawalRow:
    """A withdrawal as its venue sees it. `amount_units` is what arrives; with `fee_units` it left the balance."""

    reference: str
    destination: Destination
    asset: Asset
    amount_units: int
    fee_units: int
    at: datetime
    stage: Stage
    txid: str | None
    cancel_denied: bool


@dataclass(frozen=True, slots=True)
class WithdrawalQuery:
    """Newest first, at most `limit`; `after` exclusive, `until` inclusive, `cursor` an opaque place to go on from."""

    asset: str = ""
    method: str = ""
    after: datetime | None = None
    until: datetime | None = None
    seen_from: datetime | None = None
    seen_before: datetime | None = None
    limit: int = 500
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class WithdrawalPage:
    rows: tuple[WithdrawalRow, ...]
    next_cursor: str | None
