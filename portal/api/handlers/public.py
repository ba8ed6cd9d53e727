"""What anybody may ask: the time, and what can be held and traded here (reference §8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils import timezone

from portal.api.protocol import asset_names
from portal.api.protocol.asset_classes import ABOUT, ASSET_CLASS, CURRENCY, no_assets, no_pairs
from portal.api.protocol.envelope import JSON
from portal.api.protocol.parameter_types import Choice, Names
from portal.api.protocol.parameters import NoParameters, optional
from portal.core.money import plain
from portal.venues.registry import shown
from portal.venues.types import Asset, FeeTier, Pair

VENUE: Final = "international"
PARTS: Final = {
    "leverage": ("leverage_buy", "leverage_sell"),
    "fees": ("fees", "fees_maker", "fee_volume_currency"),
    "margin": ("margin_call", "margin_stop"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assets:
    asset: tuple[str, ...] = optional(Names(), (), "Assets under any of their names; all without it.")
    aclass: str = optional(ASSET_CLASS, CURRENCY, ABOUT)
    version: str = optional(asset_names.VERSION, asset_names.IDS, asset_names.ABOUT, name="assetVersion")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetPairs:
    pair: tuple[str, ...] = optional(Names(), (), "Pairs under any of their names; all without it.")
    aclass_base: str = optional(ASSET_CLASS, CURRENCY, ABOUT)
    info: str = optional(Choice(("info", *PARTS)), "info", "Which part of each row.")
    execution_venue: tuple[str, ...] = optional(Names(), (VENUE,), f"Where they trade: all of them at `{VENUE}`.")
    version: str = optional(asset_names.VERSION, asset_names.IDS, asset_names.ABOUT, name="assetVersion")


def time(parameters: NoParameters) -> JSON:
    """The clock that nonces are compared with, in whole seconds."""
    now = timezone.now()
    return {"unixtime": int(now.timestamp()), "rfc1123": now.strftime("%a, %d %b %y %H:%M:%S +0000")}


def system_status(parameters: NoParameters) -> JSON:
    """Always `online`, with the time now: where it is not online, nobody answers."""
    return {"status": "online", "timestamp": timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ")}


def assets(parameters: Assets) -> JSON:
    """What can be held here. Raises: UnknownAsset."""
    names = parameters.asset
    if no_assets(parameters.aclass, *names):
        return {}
    found = map(shown().asset, names) if names else shown().assets()
    return {asset_names.of_asset(asset, parameters.version): _asset_row(asset) for asset in found}


def asset_pairs(parameters: AssetPairs) -> JSON:
    """Under canonical ids, where clients look their markets up; under `BTC/USD` what was asked by that symbol.

    So does the exchange, and python-kraken-sdk looks there for the decimals of a streamed book. Raises: UnknownPair.
    """
    if no_pairs(parameters.aclass_base, *parameters.pair) or VENUE not in parameters.execution_venue:
        return {}
    version = parameters.version
    asked = dict(zip(map(shown().pair, parameters.pair), parameters.pair, strict=True))
    rows: dict[str, JSON] = {}
    for pair in asked or shown().pairs():
        symbol = asset_names.symbol(pair)
        name = symbol if asked.get(pair, "").upper() == symbol else asset_names.of_pair(pair, version)
        rows[name] = _part(_pair_row(pair, version), parameters.info)
    return rows


def _asset_row(asset: Asset) -> JSON:
    return {
        "aclass": "currency",
        "altname": asset.altname,
        "decimals": asset.decimals,
        "display_decimals": asset.shown_decimals,
        "status": "enabled",
    }


def _pair_row(pair: Pair, version: str) -> dict[str, JSON]:
    schedule = shown().schedule(pair.id)
    return {
        "altname": pair.altname,
        "wsname": pair.wsname,
        "aclass_base": "currency",
        "base": asset_names.of_asset(pair.base, version),
        "aclass_quote": "currency",
        "quote": asset_names.of_asset(pair.quote, version),
        "lot": "unit",
        "cost_decimals": pair.cost_decimals,
        "pair_decimals": pair.price_decimals,
        "lot_decimals": pair.volume_decimals,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": _tiers(schedule.taker),
        "fees_maker": _tiers(schedule.maker),
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": plain(pair.minimum_volume),
        "costmin": plain(pair.minimum_cost),
        "tick_size": plain(pair.tick_size),
        "status": "online",
        "execution_venue": VENUE,
    }


def _tiers(tiers: Sequence[FeeTier]) -> JSON:
    """Each tier as the volume it begins with and its percent."""
    return [[int(tier.volume), float(tier.percent)] for tier in tiers]


def _part(row: dict[str, JSON], part: str) -> JSON:
    return {name: row[name] for name in PARTS[part]} if part in PARTS else row
