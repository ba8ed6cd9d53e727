"""What an Account has, and how that came about."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from portal.venues.types.assets import Asset


class Balance(NamedTuple):
    """What an Account has of one asset, in its smallest unit. `units` already lacks what withdrawals hold.

    A tuple, since one is made for each row of the call that bots make most, and a frozen dataclass takes four times as
    long.
    """

    asset: Asset
    units: int
    held_by_orders_units: int
    held_by_withdrawals_units: int


class Balances(tuple[Balance, ...]):
    """All balances of an Account, by asset id; equal to themselves alone, as a ToldOrder is."""

    __slots__ = ()
    __eq__ = object.__eq__
    __hash__ = object.__hash__


class LedgerRow(NamedTuple):
    """One movement of an Account's balance. `amount_units` is signed and without the fee. A tuple as Balance is."""

    id: str
    reference: str
    at: datetime
    kind: str
    subkind: str
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

    `after_id` and `until_id` name a row of the Account's in their place.

    `seen_from` (inclusive) and `seen_before` (exclusive) are the key's own query window.
    """

    assets: tuple[str, ...] = ()
    kind: str = ""
    after: datetime | None = None
    until: datetime | None = None
    after_id: str = ""
    until_id: str = ""
    offset: int = 0
    with_count: bool = True
    seen_from: datetime | None = None
    seen_before: datetime | None = None
