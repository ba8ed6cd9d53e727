"""The assets and pairs of the paper exchange, under the protocol's names (reference §7, §8)."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import product

from portal.core.money import from_units
from portal.venues.errors import UnknownAsset, UnknownPair
from portal.venues.types import Asset, Pair

BTC = Asset("XXBT", "XBT", "BTC", decimals=10, shown_decimals=5)
ETH = Asset("XETH", "ETH", "ETH", decimals=10, shown_decimals=5)
USD = Asset("ZUSD", "USD", "USD", decimals=4, shown_decimals=2)
EUR = Asset("ZEUR", "EUR", "EUR", decimals=4, shown_decimals=2)
USDC = Asset("USDC", "USDC", "USDC", decimals=8, shown_decimals=4)
SOL = Asset("SOL", "SOL", "SOL", decimals=10, shown_decimals=5)

ASSETS = (BTC, ETH, USD, EUR, USDC, SOL)


def _pair(base: Asset, quote: Asset, price_decimals: int, minimum_volume: str, minimum_cost: str) -> Pair:
    """The older assets' pairs carry the prefixes in their id, the others do not: `XXBTZUSD`, `SOLUSD`."""
    altname = base.altname + quote.altname
    is_old = all(asset.id != asset.altname for asset in (base, quote))
    return Pair(
        id=base.id + quote.id if is_old else altname,
        altname=altname,
        wsname=f"{base.altname}/{quote.altname}",
        base=base,
        quote=quote,
        price_decimals=price_decimals,
        volume_decimals=min(8, base.decimals),
        cost_decimals=min(quote.decimals, price_decimals + 4),
        minimum_volume=Decimal(minimum_volume),
        minimum_cost=Decimal(minimum_cost),
        tick_size=Decimal(1).scaleb(-price_decimals),
    )


PAIRS = (
    _pair(BTC, USD, 1, "0.00005", "0.5"),
    _pair(BTC, EUR, 1, "0.00005", "0.5"),
    _pair(BTC, USDC, 2, "0.00005", "0.5"),
    _pair(ETH, USD, 2, "0.001", "0.5"),
    _pair(ETH, EUR, 2, "0.001", "0.5"),
    _pair(ETH, BTC, 5, "0.001", "0.00002"),
    _pair(ETH, USDC, 2, "0.001", "0.5"),
    _pair(SOL, USD, 2, "0.02", "0.5"),
    _pair(SOL, EUR, 2, "0.02", "0.5"),
    _pair(SOL, BTC, 7, "0.02", "0.00002"),
    _pair(SOL, ETH, 6, "0.02", "0.0002"),
    _pair(USDC, USD, 4, "5", "0.5"),
    _pair(USDC, EUR, 4, "5", "0.5"),
    _pair(EUR, USD, 5, "0.5", "0.5"),
)

BY_ID = {asset.id: asset for asset in ASSETS}
_BY_NAME = {name: asset for asset in ASSETS for name in (asset.id, asset.altname, asset.code)}


def _names(pair: Pair) -> set[str]:
    """The canonical id, and each spelling of both assets, with a slash between them or without: `BTCUSD`, `ETH/XBT`."""
    sides = ({asset.altname, asset.code} for asset in (pair.base, pair.quote))
    return {pair.id} | {base + between + quote for base, quote in product(*sides) for between in ("", "/")}


PAIR_BY_ID = {pair.id: pair for pair in PAIRS}
# How many units of the quote asset are one in the last place of a cost.
_COST_SCALE = {pair.id: 10 ** (pair.quote.decimals - pair.cost_decimals) for pair in PAIRS}
_PAIR_BY_NAME = {name: pair for pair in PAIRS for name in _names(pair)}


def asset(name: str) -> Asset:
    """The asset under any of its names. Raises: UnknownAsset."""
    found = _BY_NAME.get(name.upper())
    if found is None:
        raise UnknownAsset("There is no such asset here.", field="asset")
    return found


def by_id(asset_id: str) -> Asset:
    """The asset that a row of ours names."""
    return BY_ID[asset_id]


def ids(names: Iterable[str]) -> list[str]:
    """The ids of assets under any spelling. Raises: UnknownAsset."""
    return [asset(name).id for name in names]


def pair(name: str) -> Pair:
    """The pair under any of its names. Raises: UnknownPair."""
    found = _PAIR_BY_NAME.get(name.upper())
    if found is None:
        raise UnknownPair("There is no such pair here.", field="pair")
    return found


def as_cost(pair: Pair, units: int) -> Decimal:
    """An amount of the quote asset at the pair's cost decimals, which are those it was rounded to."""
    return from_units(units, pair.quote.decimals).quantize(Decimal(1).scaleb(-pair.cost_decimals))


def cost_places(pair: Pair, units: int) -> int:
    """The same in whole units of the last of those decimals."""
    whole, rest = divmod(units, _COST_SCALE[pair.id])
    return int(as_cost(pair, units).scaleb(pair.cost_decimals)) if rest else whole
