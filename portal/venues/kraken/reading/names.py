"""Assets and pairs of one or more exchanges, under every spelling of the protocol (reference §7, §8)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import product
from typing import Final

from portal.venues.kraken.reading import shapes
from portal.venues.kraken.reading.shapes import OtherShape, Row
from portal.venues.types import Asset, FeeTier, Pair, Schedule

# What the portal's amounts can be kept with.
MOST_DECIMALS: Final = 10
# What people call them, where the exchange says something else.
CODES: Final = {"XBT": "BTC", "XDG": "DOGE"}


@dataclass(frozen=True, slots=True)
class Names:
    """What is known by its names. `too_fine` has assets with more decimals than the portal keeps: told, never moved."""

    assets: Mapping[str, Asset] = field(default_factory=dict)
    too_fine: Mapping[str, Asset] = field(default_factory=dict)
    pairs: Mapping[str, Pair] = field(default_factory=dict)
    rows: Mapping[str, Row] = field(default_factory=dict)
    by_name: Mapping[str, Asset] = field(default_factory=dict)
    pair_by_name: Mapping[str, Pair] = field(default_factory=dict)

    def asset(self, name: str, *amounts: Decimal) -> Asset:
        """The asset of that name, for showing these amounts of it exactly.

        One that nobody knows goes by its own name, with the digits that the amounts came with; so does a known one
        that came with more digits than it has.
        """
        known = self.by_name.get(name.upper()) or self.too_fine.get(name)
        if known is None:
            digits = max((shapes.places(amount) for amount in amounts), default=0)
            return Asset(name, name, name, digits, digits)
        needed = max((shapes.places(amount.normalize()) for amount in amounts), default=0)
        return known if needed <= known.decimals else replace(known, decimals=needed)

    def pair(self, name: str) -> Pair:
        """The pair of that name; one that nobody knows goes by its own name, without assets that anybody knows."""
        known = self.pair_by_name.get(name.upper())
        if known is not None:
            return known
        unknown = Asset("", "", "", 0, 0)
        return Pair(name, name, name, unknown, unknown, 0, 0, 0, Decimal(0), Decimal(0), Decimal(0))


def named(assets: Iterable[Row], pairs: Iterable[Row]) -> Names:
    """What these answers to Assets and AssetPairs hold, the first exchange's first. Rows of another shape are none."""
    known: dict[str, Asset] = {}
    too_fine: dict[str, Asset] = {}
    for answer in assets:
        for name, row in answer.items():
            found = _asset(name, row)
            if found is not None:
                (known if found.decimals <= MOST_DECIMALS else too_fine).setdefault(found.id, found)
    by_name = {found.id.upper(): found for found in known.values()}
    for found in known.values():
        for name in (found.altname, found.code):
            by_name.setdefault(name.upper(), found)
    raw: dict[str, Row] = {}
    for answer in pairs:
        raw = {**answer, **raw}
    traded = {name: pair for name, row in raw.items() if (pair := _pair(name, row, known)) is not None}
    pair_by_name = {pair.id.upper(): pair for pair in traded.values()}
    for pair in traded.values():
        for name in _spellings(pair):
            pair_by_name.setdefault(name.upper(), pair)
    rows = {name: raw[name] for name in traded}
    return Names(known, too_fine, traded, rows, by_name, pair_by_name)


def schedule(row: Row) -> Schedule:
    """What trading in the pair of this row costs; where all pay alike, makers have no steps of their own.

    Raises: OtherShape.
    """
    taker = _tiers(row.get("fees"))
    return Schedule(taker=taker, maker=_tiers(row.get("fees_maker")) or taker)


def code_of(altname: str) -> str:
    """What people call the asset: `BTC` for `XBT`, and `BTC.F` for `XBT.F`."""
    name, dot, suffix = altname.partition(".")
    return CODES.get(name, name) + dot + suffix


def _asset(name: str, value: object) -> Asset | None:
    try:
        row = shapes.mapping(value)
        altname = shapes.text(row, "altname", name)
        decimals = shapes.whole(row, "decimals")
        shown = shapes.whole(row, "display_decimals", decimals)
    except OtherShape:
        return None
    if not name or not 0 <= decimals <= shapes.MOST_PLACES or not altname:
        return None
    return Asset(name, altname, code_of(altname), decimals, min(max(shown, 0), decimals))


def _pair(name: str, value: object, assets: Mapping[str, Asset]) -> Pair | None:
    try:
        row = shapes.mapping(value)
        base, quote = assets.get(shapes.text(row, "base")), assets.get(shapes.text(row, "quote"))
        if base is None or quote is None:
            return None
        altname = shapes.text(row, "altname", name)
        price_decimals = shapes.whole(row, "pair_decimals")
        if not 0 <= price_decimals <= shapes.MOST_PLACES:
            return None
        return Pair(
            id=name,
            altname=altname,
            wsname=shapes.text(row, "wsname", altname),
            base=base,
            quote=quote,
            price_decimals=price_decimals,
            volume_decimals=shapes.whole(row, "lot_decimals", base.decimals),
            cost_decimals=shapes.whole(row, "cost_decimals", quote.decimals),
            minimum_volume=shapes.number(row, "ordermin", "0"),
            minimum_cost=shapes.number(row, "costmin", "0"),
            tick_size=shapes.number(row, "tick_size", str(Decimal(1).scaleb(-price_decimals))),
        )
    except OtherShape:
        return None


def _spellings(pair: Pair) -> list[str]:
    """Altname and wsname, and each spelling of both assets, with a slash between them or without: `BTCUSD`."""
    sides = ((asset.altname, asset.code) for asset in (pair.base, pair.quote))
    both = [base + between + quote for base, quote in product(*sides) for between in ("", "/")]
    return [pair.altname, pair.wsname, *both]


def _tiers(value: object) -> tuple[FeeTier, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise OtherShape("no steps")
    steps = []
    for step in value:
        if not isinstance(step, list) or len(step) != 2:
            raise OtherShape("no step")
        steps.append(FeeTier(shapes.exact(step[0]), shapes.exact(step[1])))
    return tuple(steps)
