"""Money on its way out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from portal.core.money import to_units
from portal.venues.types.assets import Asset


@dataclass(frozen=True, slots=True)
class WithdrawalMethod:
    """One way out for an asset. `fee` and `minimum` are in the asset; `minimum` counts the fee in.

    `told` is the exchange's own row, where it has one, for bots.
    """

    asset: Asset
    name: str
    network: str
    fee: Decimal
    minimum: Decimal
    # How small a part the network knows, where that is not all that the asset is kept to here.
    network_decimals: int | None = None
    told: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)

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
    """How far a withdrawal has got. Only a venue moves it; HELD waits for people.

    Where another exchange carries it out: AGREED is about to be handed to it, SENDING was and is not answered yet,
    SOUGHT is looked for since its answer was lost, UNKNOWN waits for people to say what became of it, and REFUSED was
    not taken. What it has taken it may keep ON_HOLD for reasons of its own, send back (RETURNING), or call back: asked
    to (CANCELING), or done (RECALLED). CANCELED was never sent.
    """

    HELD = "held"
    AGREED = "agreed"
    SENDING = "sending"
    SOUGHT = "sought"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    INITIAL = "initial"
    ON_HOLD = "on-hold"
    PENDING = "pending"
    SETTLED = "settled"
    SUCCESS = "success"
    FAILURE = "failure"
    RETURNING = "returning"
    CANCELING = "canceling"
    RECALLED = "recalled"
    CANCELED = "canceled"


# Agreed to, and nobody can say yet whether it leaves.
UNDERWAY: Final = frozenset({Stage.AGREED, Stage.SENDING, Stage.SOUGHT, Stage.UNKNOWN})


@dataclass(frozen=True, slots=True)
class WithdrawalRow:
    """A withdrawal as its venue sees it. `amount_units` is what arrives; with `fee_units` it left the balance.

    `said` is what a person should know besides, in words of ours or of the exchange; `told` the exchange's own row,
    where it has one, for bots; `page` is where people settle what its venue does not know.
    """

    reference: str
    destination: Destination
    asset: Asset
    amount_units: int
    fee_units: int
    at: datetime
    stage: Stage
    txid: str | None
    cancel_denied: bool
    said: str = ""
    told: Mapping[str, Any] | None = None
    page: str = ""


@dataclass(frozen=True, slots=True)
class WithdrawalQuote:
    """What sending an amount would take now: `method` with the fee and minimum of this moment.

    `limit_units` is the most that could arrive, fee taken off; zero where that was not asked.
    """

    method: WithdrawalMethod
    limit_units: int


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
