"""Money that comes in: ways, addresses, and what has arrived (reference §11)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from accounts.api_keys.refused_calls import Reason
from accounts.models.service_user import Permission
from portal.api.call import Caller
from portal.api.protocol.asset_classes import ABOUT, ASSET_CLASS, CURRENCY, no_assets
from portal.api.protocol.envelope import JSON, ApiError, Error
from portal.api.protocol.instants import Instant, UntilSecond
from portal.api.protocol.parameter_types import Cursor, Flag, Text, Whole
from portal.api.protocol.parameters import absent, needed, optional
from portal.core.money import plain, wire
from portal.venues.types import DepositQuery, DepositRow, DepositStage

MAX_ROWS: Final = 500
STATUS: Final = {
    DepositStage.PENDING: "Pending",
    DepositStage.SETTLED: "Settled",
    DepositStage.SUCCESS: "Success",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositMethods:
    asset: str = needed(Text(), "The asset to send.")
    aclass: str = optional(ASSET_CLASS, CURRENCY, ABOUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositAddresses:
    asset: str = needed(Text(), "The asset to send.")
    aclass: str = optional(ASSET_CLASS, CURRENCY, ABOUT)
    method: str = needed(Text(), "A method that `DepositMethods` names.")
    new: bool = optional(Flag(), default=False, text="Make another address; needs the permission to deposit.")


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositStatus:
    asset: str = optional(Text(), "", "Only deposits of this asset.")
    aclass: str = optional(ASSET_CLASS, CURRENCY, ABOUT)
    method: str = optional(Text(), "", "Only deposits by this method.")
    start: datetime | None = absent(Instant(), "Deposits from then on; inclusive.")
    end: datetime | None = absent(UntilSecond(), "Deposits until then; inclusive.")
    cursor: bool | str = optional(Cursor(), default=False, text="True, or `next_cursor` of the page before.")
    limit: int = optional(Whole(1, MAX_ROWS), 25, "Rows of a page.")


def deposit_methods(caller: Caller, parameters: DepositMethods) -> JSON:
    """The ways in for an asset. Raises: UnknownAsset."""
    no_assets(parameters.aclass, parameters.asset)
    decimals = caller.venue.asset(parameters.asset).decimals
    return [
        {
            "method": method.name,
            "limit": False,
            "fee": wire(0, decimals),
            "gen-address": method.makes_addresses,
            "minimum": plain(method.minimum),
        }
        for method in caller.venue.deposit_methods(parameters.asset)
    ]


def deposit_addresses(caller: Caller, parameters: DepositAddresses) -> JSON:
    """The Account's addresses, newest first. Asking for them makes the first one.

    Who may query but not deposit makes none. Raises: UnknownAsset, UnknownMethod, TooManyAddresses; ApiError.
    """
    no_assets(parameters.aclass, parameters.asset)
    may_make = Permission.DEPOSIT.value in caller.credential.permissions
    if parameters.new and not may_make:
        raise ApiError(Error.PERMISSION_DENIED, reason=Reason.PERMISSION)
    venue, asset, method = caller.venue, parameters.asset, parameters.method
    if not may_make and not venue.has_deposit_address(caller.account_id, asset, method):
        return []
    return [
        {
            "address": row.address,
            "expiretm": "0",
            **({"new": True} if row.is_new else {}),
            **({"memo": row.memo} if row.memo else {}),
        }
        for row in venue.deposit_addresses(caller.account_id, asset, method, new=parameters.new)
    ]


def deposit_status(caller: Caller, parameters: DepositStatus) -> JSON:
    """The Account's deposits, newest first, inside the key's query window.

    `cursor` true or a place to go on from wraps the rows; anything else is a plain list. Raises: UnknownAsset; Invalid
    for a cursor that no page gave.
    """
    name = parameters.asset
    if no_assets(parameters.aclass, name):
        return _page([], None, parameters)
    page = caller.venue.deposits(
        caller.account_id,
        DepositQuery(
            asset=caller.venue.asset(name).id if name not in ("", "all") else "",
            method=parameters.method,
            since=parameters.start,
            until=parameters.end,
            seen_from=caller.credential.query_start,
            seen_before=caller.credential.query_end,
            limit=parameters.limit,
            cursor=parameters.cursor if isinstance(parameters.cursor, str) else "",
        ),
    )
    return _page([_row(row) for row in page.rows], page.next_cursor, parameters)


def _page(rows: list[JSON], next_cursor: str | None, parameters: DepositStatus) -> JSON:
    return {"deposits": rows, "next_cursor": next_cursor} if parameters.cursor else rows


def _row(row: DepositRow) -> JSON:
    return {
        "method": row.method,
        "network": row.network,
        "aclass": "currency",
        "asset": row.asset.id,
        "refid": row.reference,
        "txid": row.txid,
        "info": row.address,
        "amount": wire(row.amount_units, row.asset.decimals),
        "fee": wire(row.fee_units, row.asset.decimals),
        "time": int(row.at.timestamp()),
        "status": STATUS[row.stage],
    }
