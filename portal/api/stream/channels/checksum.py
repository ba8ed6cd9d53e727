"""The sum by which a client sees that its book is right (reference §13)."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import islice
from typing import Final, TypeAlias
from zlib import crc32

LEVELS: Final = 10
# A price, and what can be had at it.
Offer: TypeAlias = tuple[Decimal, Decimal]


def checksum(asks: Iterable[Offer], bids: Iterable[Offer], *, price_places: int, volume_places: int) -> int:
    """CRC-32 of the ten best asks and then the ten best bids, all best first, at the places that `instrument` tells.

    Each price and each quantity without its point and the zeros before its first other digit.
    """
    text = "".join(
        _digits(price, price_places) + _digits(volume, volume_places)
        for side in (asks, bids)
        for price, volume in islice(side, LEVELS)
    )
    return crc32(text.encode())


def _digits(amount: Decimal, places: int) -> str:
    return f"{amount:.{places}f}".replace(".", "").lstrip("0")
