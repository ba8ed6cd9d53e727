"""Classes of assets. There are currencies here; of whatever else a call asks for there is nothing.

A class is a filter: taking every pair for a tokenized one, because the filter went unheard, has made a client trade
what it never meant.
"""

from typing import Final

from portal.api.protocol.parameter_types import Choice
from portal.venues.errors import UnknownAsset, UnknownPair

CURRENCY: Final = "currency"
ASSET_CLASS: Final = Choice((CURRENCY, "forex", "tokenized_asset"))
OURS: Final = (CURRENCY, "forex")
ABOUT: Final = "The class of asset: there are only currencies."


def no_assets(aclass: str, *names: str) -> bool:
    """Whether the class leaves nothing of all assets. Raises: UnknownAsset if the call names one."""
    if aclass in OURS:
        return False
    if any(name not in ("", "all") for name in names):
        raise UnknownAsset("There is no such asset of that class here.", field="asset")
    return True


def no_pairs(aclass: str, *names: str) -> bool:
    """Whether the class leaves nothing of all pairs. Raises: UnknownPair if the call names one."""
    if aclass in OURS:
        return False
    if names:
        raise UnknownPair("There is no such pair of that class here.", field="pair")
    return True
