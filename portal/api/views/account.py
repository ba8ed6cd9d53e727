"""What an Account holds and how it came about, and what the calling key may do (reference §9)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Final

from portal.api.caller import Caller
from portal.api.envelope import JSON, ApiError, Error
from portal.api.kinds import Bound, Choice, Flag, Names, Whole
from portal.api.parameters import NoParameters, absent, needed, optional
from portal.api.permissions import held_by
from portal.core.money import wire
from portal.venues.types import LedgerQuery, LedgerRow

LEDGER_TYPES: Final = (
    "all", "trade", "deposit", "withdrawal", "transfer", "margin", "adjustment", "rollover", "credit", "settled",
    "staking", "dividend", "sale", "nft_rebate",
)  # fmt: skip
MAX_OFFSET: Final = 1_000_000
MAX_IDS: Final = 20
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledgers:
    asset: tuple[str, ...] = optional(Names(), (), "Only these assets; `all`, or nothing, for every one.")
    aclass: str = optional(Choice(("currency",)), "currency", "The class of asset.")
    kind: str = optional(Choice(LEDGER_TYPES), "all", "Only entries of this type.", name="type")
    start: datetime | str | None = absent(Bound(), "Entries after this; exclusive.")
    end: datetime | str | None = absent(Bound(), "Entries until this; inclusive.")
    ofs: int = optional(Whole(0, MAX_OFFSET), 0, "How many entries to skip.")
    without_count: bool = optional(Flag(), default=False, text="Leave `count` out.")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryLedgers:
    id: tuple[str, ...] = needed(Names(most=MAX_IDS), "Up to twenty ids of entries.")


def balance(caller: Caller, parameters: NoParameters) -> JSON:
    """Cash balances, net of pending withdrawals."""
    return {row.asset.id: wire(row.units, row.asset.decimals) for row in caller.venue.balances(caller.account_id)}


def balance_extended(caller: Caller, parameters: NoParameters) -> JSON:
    """`hold_trade` is what orders hold; a withdrawal's hold is off `balance` already (DESIGN K7)."""
    return {
        row.asset.id: {
            "balance": wire(row.units, row.asset.decimals),
            "hold_trade": wire(row.held_by_orders_units, row.asset.decimals),
        }
        for row in caller.venue.balances(caller.account_id)
    }


def ledgers(caller: Caller, parameters: Ledgers) -> JSON:
    """Fifty entries, newest first, inside the key's query window.

    Raises: UnknownAsset; ApiError for a bound that is neither a time nor an entry the key may see.
    """
    names = parameters.asset
    page = caller.venue.ledger(
        caller.account_id,
        LedgerQuery(
            assets=() if names in ((), ("all",)) else tuple(caller.venue.asset(name).id for name in names),
            kind="" if parameters.kind == "all" else parameters.kind,
            after=_bound(caller, parameters.start),
            until=_bound(caller, parameters.end),
            offset=parameters.ofs,
            with_count=not parameters.without_count,
            seen_from=caller.credential.query_start,
            seen_before=caller.credential.query_end,
        ),
    )
    result: dict[str, JSON] = {"ledger": {row.id: _ledger_row(row) for row in page.rows}}
    return result if page.count is None else {**result, "count": page.count}


def query_ledgers(caller: Caller, parameters: QueryLedgers) -> JSON:
    """The entries of up to twenty ids.

    Raises: ApiError for more, for none, and for an id that the key sees nothing of.
    """
    rows = _visible_rows(caller, parameters.id)
    if rows.keys() != set(parameters.id):
        raise ApiError(Error.INVALID_ARGUMENTS)
    return {row.id: _ledger_row(row) for row in rows.values()}


def key_info(caller: Caller, parameters: NoParameters) -> JSON:
    """The calling key and its settings. Times are texts of whole Unix seconds, `"0"` where there is none."""
    key = caller.key()
    bot = key.service_user
    return {
        "apiKeyName": bot.name,
        "apiKey": key.public,
        "nonce": str(key.last_nonce),
        "nonceWindow": bot.nonce_window,
        "permissions": sorted(held_by(caller.credential)),
        "iban": _iban(bot.account_id),
        "validUntil": _seconds(key.expires_at),
        "queryFrom": _seconds(bot.query_start),
        "queryTo": _seconds(bot.query_end),
        "createdTime": _seconds(key.created_at),
        "modifiedTime": _seconds(bot.changed_at),
        "ipAllowlist": list(bot.ip_allow_list),
        "lastUsed": _seconds(key.last_used_at) if key.last_used_at else None,
    }


def _ledger_row(row: LedgerRow) -> JSON:
    decimals = row.asset.decimals
    return {
        "refid": row.reference,
        "time": row.at.timestamp(),
        "type": row.kind,
        "subtype": "",
        "aclass": "currency",
        "asset": row.asset.id,
        "amount": wire(row.amount_units, decimals),
        "fee": wire(row.fee_units, decimals),
        "balance": wire(row.balance_units, decimals),
    }


def _bound(caller: Caller, bound: datetime | str | None) -> datetime | None:
    """A bound of the history: an instant, or the id of an entry, whose time it stands for."""
    if not isinstance(bound, str):
        return bound
    row = _visible_rows(caller, (bound,)).get(bound)
    if row is None:
        raise ApiError(Error.INVALID_ARGUMENTS)
    return row.at


def _visible_rows(caller: Caller, ids: tuple[str, ...]) -> dict[str, LedgerRow]:
    credential = caller.credential
    return {
        row.id: row
        for row in caller.venue.ledger_rows(caller.account_id, ids)
        if (credential.query_start is None or row.at >= credential.query_start)
        and (credential.query_end is None or row.at < credential.query_end)
    }


def _seconds(at: datetime | None) -> str:
    return str(int(Decimal(at.timestamp()))) if at else "0"


def _iban(account_id: int) -> str:
    """The Account's public number in the protocol's form: the same for all its keys, and no bank's."""
    number = int.from_bytes(sha256(f"account {account_id}".encode()).digest()[:10])
    letters = "".join(LETTERS[number >> 5 * place & 31] for place in range(12))
    return f"AA{account_id % 90 + 10} {letters[:4]} {letters[4:8]} {letters[8:]}"
