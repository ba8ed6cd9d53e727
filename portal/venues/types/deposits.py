"""Money on its way in."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from portal.venues.types.assets import Asset


class DepositStage(StrEnum):
    """How far a deposit has got. It counts in the balance from SUCCESS on; after FAILURE it never will."""

    PENDING = "pending"
    SETTLED = "settled"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class DepositMethod:
    """One way in for an asset. `minimum` is in the asset; a bank transfer has no address of its own to make."""

    asset: Asset
    name: str
    network: str
    minimum: Decimal
    makes_addresses: bool


@dataclass(frozen=True, slots=True)
class DepositAddress:
    """Where to send; `is_new` until something has arrived there."""

    address: str
    memo: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class DepositRow:
    """A deposit as its venue sees it, in the asset's smallest unit.

    `said` is what its exchange says besides, in its own words: that it holds the deposit, or sends it back.
    """

    reference: str
    asset: Asset
    method: str
    network: str
    address: str
    txid: str
    amount_units: int
    fee_units: int
    at: datetime
    stage: DepositStage
    said: str = ""


@dataclass(frozen=True, slots=True)
class DepositQuery:
    """Newest first, at most `limit`; `since` and `until` inclusive, `cursor` an opaque place to go on from."""

    asset: str = ""
    method: str = ""
    since: datetime | None = None
    until: datetime | None = None
    seen_from: datetime | None = None
    seen_before: datetime | None = None
    limit: int = 25
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class DepositPage:
    rows: tuple[DepositRow, ...]
    next_cursor: str | None
