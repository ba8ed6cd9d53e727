"""Money that leaves: ways out, addresses, and withdrawals that people may have to approve (reference §11, §15)."""

import re
from typing import Final

from portal.api.caller import Caller
from portal.api.envelope import JSON, ApiError, Error
from portal.api.parameters import Parameters
from portal.core.money import plain, wire
from portal.treasury import withdrawals
from portal.venues.types import Asset, Stage, WithdrawalQuery, WithdrawalRow

MAX_ROWS: Final = 500
REFERENCE: Final = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
# What the bot is told of each stage: `status` and, where there is one, `status-prop`.
STATUS: Final = {
    Stage.HELD: ("Initial", "onhold"),
    Stage.INITIAL: ("Initial", ""),
    Stage.PENDING: ("Pending", ""),
    Stage.SETTLED: ("Settled", ""),
    Stage.SUCCESS: ("Success", ""),
    Stage.FAILURE: ("Failure", ""),
    Stage.CANCELED: ("Failure", "canceled"),
}


def withdraw_methods(caller: Caller, parameters: Parameters) -> JSON:
    """Raises: UnknownAsset."""
    asset = _asset_id(caller, parameters)
    network = parameters.text("network").lower()
    return [
        {
            "asset": method.asset.id,
            "method": method.name,
            "network": method.network,
            "minimum": plain(method.minimum),
        }
        for method in caller.venue.withdrawal_methods()
        if asset in ("", method.asset.id) and network in ("", method.network.lower())
    ]


def withdraw_addresses(caller: Caller, parameters: Parameters) -> JSON:
    """The Account's approved addresses; there are no others. Raises: UnknownAsset."""
    asset = _asset_id(caller, parameters)
    is_verified = parameters.flag("verified", default=True)
    found = withdrawals.addresses(
        caller.account_id,
        asset=asset or None,
        method=parameters.text("method") or None,
        key=parameters.text("key") or None,
    )
    return [
        {
            "address": address.address,
            "asset": address.asset,
            "method": address.method,
            "key": address.key,
            **({"memo": address.memo} if address.memo else {}),
            "verified": True,
        }
        for address in (found if is_verified else ())
    ]


def withdraw_info(caller: Caller, parameters: Parameters) -> JSON:
    """What a withdrawal of `amount` would cost and bring. Raises: as `withdraw`."""
    asset = _asset(caller, parameters)
    quote = withdrawals.quote(
        account_id=caller.account_id,
        key=parameters.needed("key"),
        asset=asset.id,
        amount=parameters.amount("amount"),
    )
    return {
        "method": quote.method,
        "limit": wire(quote.limit_units, asset.decimals),
        "amount": wire(quote.amount_units, asset.decimals),
        "fee": wire(quote.fee_units, asset.decimals),
    }


def withdraw(caller: Caller, parameters: Parameters) -> JSON:
    """Ask to send money. `amount` counts the fee in. The answer is the same whether or not people must approve.

    Raises: UnknownAsset, UnknownAddress, AddressMismatch, FeeTooHigh, Insufficient, Refused.
    """
    asset = _asset(caller, parameters)
    address_key, amount = parameters.needed("key"), parameters.amount("amount")
    key = caller.key()
    change = withdrawals.request_withdrawal(
        actor=key.service_user,
        api_key=key,
        account=key.service_user.account,
        key=address_key,
        asset=asset.id,
        amount=amount,
        address=parameters.text("address") or None,
        max_fee=parameters.limit("max_fee"),
    )
    return {"refid": change.withdrawal.reference}


def withdraw_status(caller: Caller, parameters: Parameters) -> JSON:
    """The Account's withdrawals, newest first, inside the key's query window.

    `cursor` true or a place to go on from wraps the rows; anything else is a plain list. Raises: UnknownAsset.
    """
    cursor = parameters.text("cursor") if not parameters.is_flag("cursor") else ""
    is_wrapped = bool(cursor) or parameters.flag("cursor")
    withdrawals.release_expired(caller.account_id)
    page = caller.venue.withdrawals(
        caller.account_id,
        WithdrawalQuery(
            asset=_asset_id(caller, parameters),
            method=parameters.text("method"),
            after=parameters.instant("start"),
            until=parameters.instant("end"),
            seen_from=caller.credential.query_start,
            seen_before=caller.credential.query_end,
            limit=parameters.whole("limit", default=MAX_ROWS, lowest=1, highest=MAX_ROWS),
            cursor=cursor,
        ),
    )
    rows: JSON = [_withdrawal_row(row) for row in page.rows]
    return {"withdrawals": rows, "next_cursor": page.next_cursor} if is_wrapped else rows


def withdraw_cancel(caller: Caller, parameters: Parameters) -> JSON:
    """True if the withdrawal will not be sent; false if it is too late. Raises: UnknownReference, ApiError."""
    asset = _asset(caller, parameters)
    reference = parameters.needed("refid")
    if not REFERENCE.fullmatch(reference):
        raise ApiError(Error.INVALID_REFERENCE)
    row = caller.venue.withdrawals_by_reference([reference]).get(reference)
    if row is None or row.asset.id != asset.id:
        raise ApiError(Error.UNKNOWN_REFERENCE)
    return withdrawals.cancel_withdrawal(
        actor=caller.key().service_user, account_id=caller.account_id, reference=reference
    )


def _asset(caller: Caller, parameters: Parameters) -> Asset:
    """The asset that the call must name. Raises: UnknownAsset, ApiError."""
    parameters.choice("aclass", ("currency",), "currency")
    return caller.venue.asset(parameters.needed("asset"))


def _asset_id(caller: Caller, parameters: Parameters) -> str:
    """The asset to filter by, empty for all. Raises: UnknownAsset."""
    parameters.choice("aclass", ("currency",), "currency")
    name = parameters.text("asset")
    return caller.venue.asset(name).id if name not in ("", "all") else ""


def _withdrawal_row(row: WithdrawalRow) -> JSON:
    status, detail = STATUS[row.stage]
    if row.cancel_denied and not detail:
        detail = "cancel-denied"
    return {
        "method": row.destination.method,
        "network": row.destination.network,
        "aclass": "currency",
        "asset": row.asset.id,
        "refid": row.reference,
        "txid": row.txid,
        "info": row.destination.address,
        "amount": wire(row.amount_units, row.asset.decimals),
        "fee": wire(row.fee_units, row.asset.decimals),
        "time": int(row.at.timestamp()),
        "status": status,
        **({"status-prop": detail} if detail else {}),
        "key": row.destination.key,
    }
