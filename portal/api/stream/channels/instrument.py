"""The channel `instrument`: all assets and pairs, with the places and minima that orders and checksums need (§17)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from portal.api.stream.channels.public import Parameters, Refused, Row, allow, flag, symbol_of
from portal.api.stream.numbers import number
from portal.venues.protocol import Catalogue
from portal.venues.types import Asset, Pair

WARNING: Final = "tick_size is deprecated, use price_increment"
INTERNATIONAL: Final = "international"


@dataclass(frozen=True, slots=True)
class Options:
    """Nothing can be chosen but whether to begin with what there is."""

    snapshot: bool = field(compare=False)


@dataclass(frozen=True, slots=True)
class State:
    """Everything that can be held and traded."""

    assets: tuple[Asset, ...]
    pairs: tuple[Pair, ...]


def read(params: Parameters, method: str = "subscribe") -> Options:
    """Symbols and tokenized assets may be asked for: the one changes nothing, of the others there are none."""
    allow(params, method, {"include_tokenized_assets", "execution_venue"})
    flag(params, "include_tokenized_assets", default=False)
    if params.get("execution_venue", INTERNATIONAL) != INTERNATIONAL:
        raise Refused("Execution venue not supported")
    return Options(snapshot=flag(params, "snapshot", default=True))


def result(options: Options, symbol: str = "") -> Row:
    """What counts, with the word that the exchange adds; there is no symbol to name."""
    return {"channel": "instrument", "snapshot": options.snapshot, "warnings": [WARNING]}


def snapshot(subject: None, options: Options, state: State) -> Row:
    """All assets and all pairs, in one object."""
    return _rows(state.assets, state.pairs)


def update(venue: Catalogue, subject: None, options: Options, before: State | None) -> tuple[Row | list[Row], State]:
    """The assets and pairs that are new or are other than they were."""
    state = State(tuple(venue.assets()), tuple(venue.pairs()))
    if before is None or state == before:
        return [], state
    assets = [asset for asset in state.assets if asset not in before.assets]
    pairs = [pair for pair in state.pairs if pair not in before.pairs]
    return (_rows(assets, pairs) if assets or pairs else []), state


def _rows(assets: Sequence[Asset], pairs: Sequence[Pair]) -> Row:
    return {"assets": [_asset(asset) for asset in assets], "pairs": [_pair(pair) for pair in pairs]}


def _asset(asset: Asset) -> Row:
    """Nothing is lent here, so nothing serves as collateral."""
    return {
        "id": asset.code,
        "status": "enabled",
        "precision": asset.decimals,
        "precision_display": asset.shown_decimals,
        "borrowable": False,
        "collateral_value": number(Decimal(0)),
    }


def _pair(pair: Pair) -> Row:
    return {
        "symbol": symbol_of(pair),
        "base": pair.base.code,
        "quote": pair.quote.code,
        "status": "online",
        "qty_precision": pair.volume_decimals,
        "qty_increment": number(Decimal(1).scaleb(-pair.volume_decimals)),
        "qty_min": number(pair.minimum_volume),
        "price_precision": pair.price_decimals,
        "price_increment": number(pair.tick_size),
        "tick_size": number(pair.tick_size),
        "cost_precision": pair.cost_decimals,
        "cost_min": number(pair.minimum_cost),
        "marginable": False,
        "has_index": False,
    }
