"""Money on its way out."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from portal.core.money import to_units
from portal.venues.types.assets import Asset


@dataclass(frozen=True, slots=True)
class WithdrawalMethod:
    """One way out for an asset. `fee` and `minimum` are in the asset; `minimum` counts the fee in."""

    asset: Asset
    name: str
    network: str
    fee: Decimal
    minimum: Decimal
    # How small a part the network knows, where that is not all that the asset is kept to here.
    network_decimals: int | None = None

    @property
    def decimals(self) -> int:
        """The most decimals that an amount may have which goes this way."""
        known = self.asset.decimals if self.network_decimals is None else self.network_decimals
        return min(known, self.asset.decimals)

    def units_of(self, amount: Decimal) -> int:
        """`amount` in the asset's smallest unit. Raises: Invalid if it has more decimals than can go this way."""
        to_units(amount, self.decimals)
        return to_units(amount, self.asset.decimals)


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
    """Newest first, at most `limit`; `since` and `until` inclusive, `cursor` an opaque place to go on from."""

    asset: str = ""
    method: str = ""
    since: datetime | None = None
    until: datetime | None = None
    seen_from: datetime | None = None
    seen_before: datetime | None = None
    limit: int = 500
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class WithdrawalPage:
    rows: tuple[WithdrawalRow, ...]
    next_cursor: str | None
