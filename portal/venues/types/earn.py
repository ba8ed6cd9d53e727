"""Earn: lending an asset to a strategy that pays for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from portal.venues.types.assets import Asset


class LockType(StrEnum):
    """Given back at once, after a time of unbonding, whenever there is one, or at the end of a fixed time."""

    INSTANT = "instant"
    BONDED = "bonded"
    FLEX = "flex"
    TIMED = "timed"


class EarnOperation(StrEnum):
    ALLOCATE = "allocate"
    DEALLOCATE = "deallocate"


@dataclass(frozen=True, slots=True)
class Strategy:
    """What an Account can lend `asset` to. `apr` is the yearly rate in percent; amounts are in the asset."""

    id: str
    asset: Asset
    lock: LockType
    apr: Decimal
    payout_every: timedelta
    bonding: timedelta
    unbonding: timedelta
    minimum: Decimal
    maximum: Decimal


@dataclass(frozen=True, slots=True)
class Maturing:
    """An amount that waits, in the asset's smallest unit, since and until when."""

    units: int
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Payout:
    """The stretch between two payouts, and what it has brought so far and will bring if nothing changes."""

    starts_at: datetime
    ends_at: datetime
    accrued_units: int
    estimated_units: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """What an Account has in one strategy, in the asset's smallest unit.

    `total_units` is everything, `bonding` and `unbonding` the parts of it that do not earn or are on the way back;
    `pending_units` is what is being allocated now, negative while it is being deallocated.
    """

    strategy: Strategy
    total_units: int
    bonding: tuple[Maturing, ...]
    unbonding: tuple[Maturing, ...]
    pending_units: int
    rewarded_units: int
    payout: Payout | None
