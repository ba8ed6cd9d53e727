"""A client's own book, kept up by updates; each one has to come to the checksum that came with it (reference §13)."""

from decimal import Decimal
from zlib import crc32

from tests.soak.checking.sessions import Row

DEPTH = 10


class Book:
    """Ten levels of both sides of one pair, whose numbers have so many places."""

    def __init__(self, price_places: int, volume_places: int) -> None:
        self._places = (price_places, volume_places)
        self._asks: dict[Decimal, Decimal] = {}
        self._bids: dict[Decimal, Decimal] = {}
        self.checked = 0

    def take(self, kind: str, row: Row) -> str:
        """Take over one message; what is wrong with it, or nothing."""
        if kind == "snapshot":
            self._asks, self._bids = {}, {}
        elif not self.checked:
            return "an update comes before the snapshot"
        self._asks = _merged(self._asks, row["asks"], upwards=True)
        self._bids = _merged(self._bids, row["bids"], upwards=False)
        self.checked += 1
        if self._asks and self._bids and min(self._asks) <= max(self._bids):
            return f"bids reach asks: {max(self._bids)} and {min(self._asks)}"
        ours = self._checksum()
        return "" if ours == row["checksum"] else f"the checksum is {row['checksum']}, and comes to {ours}"

    def _checksum(self) -> int:
        text = ""
        for level in (*self._asks.items(), *self._bids.items()):
            for amount, places in zip(level, self._places, strict=True):
                text += f"{amount:.{places}f}".replace(".", "").lstrip("0")
        return crc32(text.encode())


def _merged(side: dict[Decimal, Decimal], levels: list[Row], *, upwards: bool) -> dict[Decimal, Decimal]:
    merged = side | {Decimal(level["price"]): Decimal(level["qty"]) for level in levels}
    best = sorted((price for price, left in merged.items() if left), reverse=not upwards)
    return {price: merged[price] for price in best[:DEPTH]}
