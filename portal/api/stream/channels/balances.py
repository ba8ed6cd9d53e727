"""The channel `balances`: what the Account has, and each entry of its ledger (reference §13)."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from accounts.api_keys.lifecycle import Credential
from portal.api.stream.channels import private
from portal.api.stream.channels.private import Frames, Row
from portal.api.stream.channels.public import Parameters, flag
from portal.api.stream.numbers import at, number
from portal.core.money import from_units
from portal.venues.protocol import Venue
from portal.venues.types import Asset, Event, LedgerEvent, LockType

SPOT: Final = ("spot", "main")
EARN: Final = {LockType.INSTANT: ("earn", "flex"), LockType.BONDED: ("earn", "bonded")}
# The protocol's categories of entries; it has none for a transfer to Earn or back, which then says none.
CATEGORIES: Final = {"deposit": "deposit", "withdrawal": "withdrawal", "trade": "trade", "staking": "staking-rewards"}


@dataclass(frozen=True, slots=True)
class Options:
    """Whether to be told how things stand, before what changes."""

    snapshot: bool


def read(params: Parameters, method: str = "subscribe") -> Options:
    """Raises: Refused."""
    private.allow(params, method)
    return Options(snapshot=flag(params, "snapshot", default=True))


def check(credential: Credential, options: Options) -> None:
    """Raises: ApiError."""
    private.check(credential, "balances")


def result(options: Options, credential: Credential) -> Row:
    """What counts, also where it was left out."""
    return {"channel": "balances", "snapshot": options.snapshot}


def snapshot(venue: Venue, credential: Credential, options: Options) -> Frames:
    """Every asset that the Account ever had, wallet by wallet.

    What orders and withdrawals hold is in the spot wallet until it is booked, so that each update goes on from here.
    """
    if not options.snapshot:
        return []
    wallets: defaultdict[Asset, dict[tuple[str, str], int]] = defaultdict(dict)
    for row in venue.balances(credential.account_id):
        wallets[row.asset][SPOT] = row.units + row.held_by_withdrawals_units
    for allocation in venue.allocations(credential.account_id):
        of_asset, wallet = wallets[allocation.strategy.asset], EARN[allocation.strategy.lock]
        of_asset[wallet] = of_asset.get(wallet, 0) + allocation.total_units
    return [[_asset(asset, found) for asset, found in wallets.items()]]


def rows(event: Event, options: Options, credential: Credential) -> Frames:
    """One row for each entry, with the balance of its wallet after it."""
    if not isinstance(event, LedgerEvent) or not private.is_seen(credential, event.at):
        return []
    wallet_type, wallet_id = SPOT
    category = CATEGORIES.get(event.kind)
    row: Row = {
        "ledger_id": event.ledger_id,
        "ref_id": event.reference,
        "timestamp": at(event.at),
        "type": event.kind,
        **({"subtype": event.subkind} if event.subkind else {}),
        **({"category": category} if category else {}),
        "asset": event.asset.code,
        "asset_class": "currency",
        "wallet_type": wallet_type,
        "wallet_id": wallet_id,
        "amount": number(event.amount),
        "fee": number(event.fee),
        "balance": number(event.balance),
    }
    return [[row]]


def _asset(asset: Asset, wallets: dict[tuple[str, str], int]) -> Row:
    return {
        "asset": asset.code,
        "asset_class": "currency",
        "balance": number(from_units(sum(wallets.values()), asset.decimals)),
        "wallets": [
            {"type": kind, "id": name, "balance": number(from_units(units, asset.decimals))}
            for (kind, name), units in wallets.items()
        ],
    }
