"""Under which names assets and pairs are answered: their ids, or with `assetVersion=1` those of the newer protocol."""

from typing import Final

from portal.api.protocol.parameter_types import Choice
from portal.venues.types import Asset, Pair

VERSION: Final = Choice(("0", "1"))
IDS: Final = "0"
ABOUT: Final = "1 answers under `BTC` and `BTC/USD` in place of `XXBT` and `XXBTZUSD`."


def of_asset(asset: Asset, version: str) -> str:
    """`XXBT`, or `BTC`."""
    return asset.id if version == IDS else asset.code


def of_pair(pair: Pair, version: str) -> str:
    """`XXBTZUSD`, or `BTC/USD`."""
    return pair.id if version == IDS else symbol(pair)


def symbol(pair: Pair) -> str:
    """`BTC/USD`: what streams call it."""
    return f"{pair.base.code}/{pair.quote.code}"
