"""How balances came about (reference §9)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from portal.api.call import Caller
from portal.api.handlers.newest_pages import Listed, NewestPages, sees_everything
from portal.api.protocol.asset_classes import ABOUT, ASSET_CLASS, CURRENCY, no_assets
from portal.api.protocol.envelope import JSON, ApiError, Error
from portal.api.protocol.instants import Bound
from portal.api.protocol.parameter_types import Choice, Flag, Names, Whole
from portal.api.protocol.parameters import absent, needed, optional
from portal.core.database.reading import Reading
from portal.core.money import wire
from portal.venues.types import LedgerQuery, LedgerRow

LEDGER_TYPES: Final = (
    "all", "trade", "deposit", "withdrawal", "transfer", "margin", "adjustment", "rollover", "credit", "settled",
    "staking", "dividend", "sale", "nft_rebate", "none", "spend", "receive", "reward", "conversion", "nfttrade",
    "nftcreatorfee", "nftrebate", "custodytransfer", "earn",
)  # fmt: skip
MAX_OFFSET: Final = 1_000_000
MAX_IDS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledgers:
    asset: tuple[str, ...] = optional(Names(), (), "Only these assets; `all`, or nothing, for every one.")
    aclass: str = optional(ASSET_CLASS, CURRENCY, ABOUT)
    kind: str = optional(Choice(LEDGER_TYPES), "all", "Only entries of this type.", name="type")
    start: datetime | str | None = absent(Bound(), "Entries after this; exclusive.")
    end: datetime | str | None = absent(Bound(), "Entries until this; inclusive.")
    ofs: int = optional(Whole(0, MAX_OFFSET), 0, "How many entries to skip.")
    without_count: bool = optional(Flag(), default=False, text="Leave `count` out.")


EVERYTHING: Final = Ledgers()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryLedgers:
    id: tuple[str, ...] = needed(Names(most=MAX_IDS), "Up to twenty ids of entries.")


def _ledger_row(row: LedgerRow) -> JSON:
    _, reference, at, kind, subkind, asset, amount, fee, balance = row
    decimals = asset.decimals
    return {
        "refid": reference,
        "time": at.timestamp(),
        "type": kind,
        "subtype": subkind,
        "aclass": "currency",
        "asset": asset.id,
        "amount": wire(amount, decimals),
        "fee": wire(fee, decimals),
        "balance": wire(balance, decimals),
    }


NEWEST: Final = NewestPages(_ledger_row)


def ledgers(caller: Caller, parameters: Ledgers) -> JSON:
    """Fifty entries, newest first, inside the key's query window.

    Raises: UnknownAsset; ApiError for a bound that is neither a time nor an entry the key may see.
    """
    if no_assets(parameters.aclass, *parameters.asset):
        return {"ledger": {}, **({} if parameters.without_count else {"count": 0})}
    query = replace(
        _query(caller, parameters),
        after_id=_entry(caller, parameters.start),
        until_id=_entry(caller, parameters.end),
    )
    return shown_ledgers(parameters, NEWEST.listed(caller.venue.ledger(caller.account_id, query)))


def read_ledgers(caller: Caller, parameters: Ledgers) -> Reading[Listed | None] | None:
    """The same, to be read along with the nonce, where no bound names an entry."""
    if parameters == EVERYTHING and sees_everything(caller):
        return NEWEST.reading(caller.account_id, caller.venue.reading_of_newest_ledger)
    if isinstance(parameters.start, str) or isinstance(parameters.end, str):
        return None
    if no_assets(parameters.aclass, *parameters.asset):
        return None
    reading = caller.venue.reading_of_ledger(caller.account_id, _query(caller, parameters))
    return None if reading is None else reading.then(NEWEST.listed)


def shown_ledgers(parameters: Ledgers, listed: Listed) -> JSON:
    """The same of entries that are there."""
    return {"ledger": listed.rows} if parameters.without_count else {"ledger": listed.rows, "count": listed.total}


def query_ledgers(caller: Caller, parameters: QueryLedgers) -> JSON:
    """The entries of up to twenty ids.

    Raises: ApiError for more, for none, and for an id that the key sees nothing of.
    """
    rows = _visible_rows(caller, parameters.id)
    if rows.keys() != set(parameters.id):
        raise ApiError(Error.INVALID_ARGUMENTS)
    return {row.id: _ledger_row(row) for row in rows.values()}


def _query(caller: Caller, parameters: Ledgers) -> LedgerQuery:
    names = parameters.asset
    return LedgerQuery(
        assets=() if names in ((), ("all",)) else tuple(caller.venue.asset(name).id for name in names),
        kind="" if parameters.kind == "all" else parameters.kind,
        after=_time(parameters.start),
        until=_time(parameters.end),
        offset=parameters.ofs,
        with_count=not parameters.without_count,
        seen_from=caller.credential.query_start,
        seen_before=caller.credential.query_end,
    )


def _time(bound: datetime | str | None) -> datetime | None:
    return bound if isinstance(bound, datetime) else None


def _entry(caller: Caller, bound: datetime | str | None) -> str:
    """The entry that a bound names. Raises: ApiError for one that the key sees nothing of."""
    if not isinstance(bound, str):
        return ""
    if bound not in _visible_rows(caller, [bound]):
        raise ApiError(Error.INVALID_ARGUMENTS)
    return bound


def _visible_rows(caller: Caller, ids: Sequence[str]) -> dict[str, LedgerRow]:
    credential = caller.credential
    return {
        row.id: row
        for row in caller.venue.ledger_rows(caller.account_id, ids)
        if (credential.query_start is None or row.at >= credential.query_start)
        and (credential.query_end is None or row.at < credential.query_end)
    }
