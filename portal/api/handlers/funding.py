"""Money that leaves: ways out, addresses, and withdrawals that people may have to approve (reference §11, §15)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from portal.api.call import Caller
from portal.api.protocol.asset_classes import ABOUT, ASSET_CLASS, CURRENCY, no_assets
from portal.api.protocol.envelope import JSON, ApiError, Error
from portal.api.protocol.instants import Instant, UntilSecond
from portal.api.protocol.parameter_types import Amount, Cursor, Flag, Size, Text, Whole
from portal.api.protocol.parameters import absent, needed, optional
from portal.core.money import plain, wire
from portal.treasury import expired_holds, withdrawals
from portal.venues.types import Stage, WithdrawalMethod, WithdrawalQuery, WithdrawalRow

MAX_ROWS: Final = 500
# What the bot is told of each stage: `status` and, where there is one, `status-prop`.
STATUS: Final = {
    Stage.HELD: ("Initial", "onhold"),
    Stage.AGREED: ("Initial", ""),
    Stage.SENDING: ("Initial", ""),
    Stage.SOUGHT: ("Initial", ""),
    Stage.UNKNOWN: ("Initial", "onhold"),
    Stage.REFUSED: ("Failure", ""),
    Stage.INITIAL: ("Initial", ""),
    Stage.ON_HOLD: ("Pending", "onhold"),
    Stage.PENDING: ("Pending", ""),
    Stage.SETTLED: ("Settled", ""),
    Stage.SUCCESS: ("Success", ""),
    Stage.FAILURE: ("Failure", ""),
    Stage.RETURNING: ("Pending", "return"),
    Stage.CANCELING: ("Pending", "cancel-pending"),
    Stage.RECALLED: ("Failure", "canceled"),
    Stage.CANCELED: ("Failure", "canceled"),
}


REFERENCE: Final = Text(longest=64, pattern="[A-Za-z0-9-]+", error=Error.INVALID_REFERENCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawMethods:
    asset: str = optional(Text(), "", "Only ways out for this asset.")
    aclass: str = optional(ASSET_CLASS, CURRENCY, ABOUT)
    network: str = optional(Text(), "", "Only this network.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawAddresses:
    asset: str = optional(Text(), "", "Only addresses for this asset.")
    aclass: str = optional(ASSET_CLASS, CURRENCY, ABOUT)
    method: str | None = absent(Text(), "Only addresses of this method.")
    key: str | None = absent(Text(), "Only the address of this name.")
    verified: bool = optional(Flag(), default=True, text="False asks for addresses not approved: there are none.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawInfo:
    asset: str = needed(Text(), "The asset to withdraw.")
    key: str = needed(Text(), "The name of an approved address.")
    amount: Decimal = needed(Amount(), "What would leave the balance, fee included.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    asset: str = needed(Text(), "The asset to withdraw.")
    aclass: str = optional(ASSET_CLASS, CURRENCY, ABOUT)
    key: str = needed(Text(), "The name of an approved address.")
    amount: Decimal = needed(Amount(), "What leaves the balance, fee included.")
    address: str | None = absent(Text(), "Must be the address behind `key`, if given.")
    max_fee: Decimal | None = absent(Size(), "Refuse if the fee is above this.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawStatus:
    asset: str = optional(Text(), "", "Only withdrawals of this asset.")
    aclass: str = optional(ASSET_CLASS, CURRENCY, ABOUT)
    method: str = optional(Text(), "", "Only withdrawals by this method.")
    start: datetime | None = absent(Instant(), "Withdrawals from then on; inclusive.")
    end: datetime | None = absent(UntilSecond(), "Withdrawals until then; inclusive.")
    cursor: bool | str = optional(Cursor(), default=False, text="True, or `next_cursor` of the page before.")
    limit: int = optional(Whole(1, MAX_ROWS), MAX_ROWS, "Rows of a page.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawCancel:
    asset: str = needed(Text(), "The asset of the withdrawal.")
    aclass: str = optional(ASSET_CLASS, CURRENCY, ABOUT)
    refid: str = needed(REFERENCE, "What `Withdraw` answered.")


def withdraw_methods(caller: Caller, parameters: WithdrawMethods) -> JSON:
    """The ways out. Raises: UnknownAsset."""
    if no_assets(parameters.aclass, parameters.asset):
        return []
    asset, network = _asset_id(caller, parameters.asset), parameters.network.lower()
    return [
        _method_row(method)
        for method in caller.venue.withdrawal_methods()
        if asset in ("", method.asset.id) and network in ("", method.network.lower())
    ]


def withdraw_addresses(caller: Caller, parameters: WithdrawAddresses) -> JSON:
    """The Account's approved addresses; there are no others. Raises: UnknownAsset."""
    if no_assets(parameters.aclass, parameters.asset):
        return []
    asset = _asset_id(caller, parameters.asset) or None
    found = withdrawals.addresses(caller.account_id, asset=asset, method=parameters.method, key=parameters.key)
    return [
        {
            "address": address.address,
            "asset": address.asset,
            "method": address.method,
            "key": address.key,
            **({"memo": address.memo} if address.memo else {}),
            "verified": True,
        }
        for address in (found if parameters.verified else ())
    ]


def withdraw_info(caller: Caller, parameters: WithdrawInfo) -> JSON:
    """What a withdrawal of `amount` would cost and bring. Raises: as `withdrawals.quote`."""
    asset = caller.venue.asset(parameters.asset)
    quote = withdrawals.quote(
        account_id=caller.account_id, key=parameters.key, asset=asset.id, amount=parameters.amount
    )
    return {
        "method": quote.method,
        "limit": wire(quote.limit_units, asset.decimals),
        "amount": wire(quote.amount_units, asset.decimals),
        "fee": wire(quote.fee_units, asset.decimals),
    }


def withdraw(caller: Caller, parameters: Withdraw) -> JSON:
    """Ask to send money. `amount` counts the fee in. The answer is the same whether or not people must approve.

    Raises: as `withdrawals.request_withdrawal`.
    """
    no_assets(parameters.aclass, parameters.asset)
    asset = caller.venue.asset(parameters.asset)
    key = caller.known_key()
    change = withdrawals.request_withdrawal(
        actor=key.service_user,
        api_key=key,
        account=key.service_user.account,
        key=parameters.key,
        asset=asset.id,
        amount=parameters.amount,
        address=parameters.address,
        max_fee=parameters.max_fee,
    )
    return {"refid": change.withdrawal.reference}


def withdraw_status(caller: Caller, parameters: WithdrawStatus) -> JSON:
    """The Account's withdrawals, newest first, inside the key's query window.

    `cursor` true or a place to go on from wraps the rows; anything else is a plain list. Raises: UnknownAsset; Invalid
    for a cursor that no page gave.
    """
    if no_assets(parameters.aclass, parameters.asset):
        return _page([], None, parameters)
    expired_holds.release_due(caller.account_id)
    page = caller.venue.withdrawals(
        caller.account_id,
        WithdrawalQuery(
            asset=_asset_id(caller, parameters.asset),
            method=parameters.method,
            since=parameters.start,
            until=parameters.end,
            seen_from=caller.credential.query_start,
            seen_before=caller.credential.query_end,
            limit=parameters.limit,
            cursor=parameters.cursor if isinstance(parameters.cursor, str) else "",
        ),
    )
    return _page([_withdrawal_row(row) for row in page.rows], page.next_cursor, parameters)


def withdraw_cancel(caller: Caller, parameters: WithdrawCancel) -> JSON:
    """True if the withdrawal will not be sent; false if it is too late.

    Raises: UnknownAsset, UnknownReference; ApiError.
    """
    no_assets(parameters.aclass, parameters.asset)
    asset = caller.venue.asset(parameters.asset)
    reference = parameters.refid
    row = caller.venue.withdrawals_by_reference([reference]).get(reference)
    if row is None or row.asset.id != asset.id:
        raise ApiError(Error.UNKNOWN_REFERENCE)
    return withdrawals.cancel_withdrawal(
        actor=caller.key().service_user, account_id=caller.account_id, reference=reference
    )


def _asset_id(caller: Caller, name: str) -> str:
    """The asset to filter by, empty for all. Raises: UnknownAsset."""
    return caller.venue.asset(name).id if name not in ("", "all") else ""


def _page(rows: list[JSON], next_cursor: str | None, parameters: WithdrawStatus) -> JSON:
    return {"withdrawals": rows, "next_cursor": next_cursor} if parameters.cursor else rows


def _method_row(method: WithdrawalMethod) -> JSON:
    if method.told is not None:
        return dict(method.told)
    return {
        "asset": method.asset.id,
        "method": method.name,
        "network": method.network,
        "minimum": plain(method.minimum),
        "fee": {"asset": method.asset.id, "aclass": CURRENCY, "fee": plain(method.fee)},
    }


def _withdrawal_row(row: WithdrawalRow) -> JSON:
    if row.told is not None:
        # As the exchange has it, under the reference that the bot was given.
        return {**row.told, "refid": row.reference}
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
