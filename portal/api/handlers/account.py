"""What an Account holds, what trading costs it, and what the calling key may do (reference §9)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Final

import msgspec

from portal.api.call import Caller
from portal.api.permissions import held_by
from portal.api.protocol.envelope import JSON
from portal.api.protocol.parameter_types import PairNames, Text
from portal.api.protocol.parameters import NoParameters, optional
from portal.core.database.reading import Reading
from portal.core.money import wire
from portal.treasury import expired_holds
from portal.venues.types import Balance, Balances, Fee

# Of so many Accounts a process keeps the words of the balances that it told last.
KNOWN: Final = 2048
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeBalance:
    asset: str = optional(Text(), "ZUSD", "The asset that all is counted in.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeVolume:
    pair: tuple[str, ...] = optional(PairNames(), (), "The pairs whose fees are asked for.")


def read_balances(caller: Caller, parameters: NoParameters) -> Reading[Balances] | None:
    """The balances, to be read along with the nonce; None if something has to be given back first."""
    if expired_holds.may_be_due(caller.account_id, datetime.now(UTC)):
        return None
    return caller.venue.reading_of_balances(caller.account_id)


def balance(caller: Caller, parameters: NoParameters) -> JSON:
    """Cash balances, net of pending withdrawals."""
    expired_holds.release_due(caller.account_id)
    return _in_words(caller.venue.balances(caller.account_id))


def shown_balance(parameters: NoParameters, rows: Balances) -> JSON:
    """The same of rows that are there."""
    return _kept(rows)


@lru_cache(maxsize=KNOWN)
def _kept(rows: Balances) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(_in_words(rows)))


def _in_words(rows: Sequence[Balance]) -> dict[str, str]:
    return {row.asset.id: wire(row.units, row.asset.decimals) for row in rows}


def balance_extended(caller: Caller, parameters: NoParameters) -> JSON:
    """`hold_trade` is what orders hold; a withdrawal's hold is off `balance` already (DESIGN K7)."""
    expired_holds.release_due(caller.account_id)
    return shown_balance_extended(parameters, caller.venue.balances(caller.account_id))


def shown_balance_extended(parameters: NoParameters, rows: Sequence[Balance]) -> JSON:
    """The same of rows that are there."""
    return {
        row.asset.id: {
            "balance": wire(row.units, row.asset.decimals),
            "hold_trade": wire(row.held_by_orders_units, row.asset.decimals),
        }
        for row in rows
    }


def trade_balance(caller: Caller, parameters: TradeBalance) -> JSON:
    """What everything is worth by the reference prices. There is no margin, so most of it is zero.

    Raises: UnknownAsset.
    """
    expired_holds.release_due(caller.account_id)
    worth = caller.venue.trade_balance(caller.account_id, parameters.asset)
    equivalent, nothing = f"{worth.equivalent:.4f}", "0.0000"
    return {
        "eb": equivalent,
        "tb": f"{worth.free:.4f}",
        "m": nothing,
        "n": nothing,
        "c": nothing,
        "v": nothing,
        "e": equivalent,
        "mf": equivalent,
        "uv": f"{worth.unexecuted:.4f}",
    }


def trade_volume(caller: Caller, parameters: TradeVolume) -> JSON:
    """What was traded in thirty days, and the fees of the pairs named that follow from it. Raises: UnknownPair."""
    volume = caller.venue.trade_volume(caller.account_id, parameters.pair)
    worth = caller.venue.trade_balance(caller.account_id, volume.currency.id)
    fees: dict[str, JSON] = {}
    if parameters.pair:
        fees = {
            "fees": {row.pair.id: _fee(row.taker) for row in volume.fees},
            "fees_maker": {row.pair.id: _fee(row.maker) for row in volume.fees},
        }
    return {
        "currency": volume.currency.id,
        "volume": f"{volume.volume:.4f}",
        # What the volume and the tier are reckoned from. There are no futures here.
        "inputs": {
            "domain_spot_volume_30d": f"{volume.volume:.4f}",
            "domain_futures_volume_30d": "0.0000",
            "domain_assets_on_platform": f"{worth.equivalent:.4f}",
        },
        **fees,
    }


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


def _fee(fee: Fee) -> JSON:
    return {
        "fee": f"{fee.percent:.4f}",
        "minfee": f"{fee.minimum:.4f}",
        "maxfee": f"{fee.maximum:.4f}",
        "nextfee": None if fee.next_percent is None else f"{fee.next_percent:.4f}",
        "nextvolume": None if fee.next_volume is None else f"{fee.next_volume:.4f}",
        "tiervolume": f"{fee.tier_volume:.4f}",
    }


def _seconds(at: datetime | None) -> str:
    return str(int(Decimal(at.timestamp()))) if at else "0"


def _iban(account_id: int) -> str:
    """The Account's public number in the protocol's form: the same for all its keys, and no bank's."""
    number = int.from_bytes(sha256(f"account {account_id}".encode()).digest()[:10])
    letters = "".join(LETTERS[number >> 5 * place & 31] for place in range(12))
    return f"AA{account_id % 90 + 10} {letters[:4]} {letters[4:8]} {letters[8:]}"
