"""The exchange's own book of addresses, where an Account's book only mirrors it."""

from dataclasses import dataclass
from datetime import datetime

from portal.venues.types.withdrawals import Destination


@dataclass(frozen=True, slots=True)
class ListedAddress:
    """One address as the exchange lists it, every word as the exchange writes it."""

    key: str
    asset: str
    method: str
    address: str
    memo: str
    is_verified: bool


@dataclass(frozen=True, slots=True)
class AddressListing:
    """What the exchange last said of its book, when (None: never), and why it could not be read again; else empty."""

    rows: tuple[ListedAddress, ...] = ()
    read_at: datetime | None = None
    trouble: str = ""

    def called(self, key: str) -> tuple[ListedAddress, ...]:
        """What it lists under that name: more than one where assets have names of their own."""
        return tuple(row for row in self.rows if row.key == key)

    def contradiction(self, destination: Destination) -> str:
        """How what it lists under that name is another place than this; empty where it is not, or lists none."""
        found = self.called(destination.key)
        differences = [_difference(row, destination) for row in found]
        return "" if not found or "" in differences else differences[0]

    def trouble_with(self, destination: Destination) -> str:
        """Why nothing may be sent there, for people; empty if it is listed as it is here, or nothing is known yet."""
        if self.read_at is None:
            return ""
        found = self.called(destination.key)
        if not found:
            return f"The exchange lists no address called {destination.key}."
        if said := self.contradiction(destination):
            return said
        if not any(row.is_verified for row in found if not _difference(row, destination)):
            return f"The exchange has not verified the address {destination.key}."
        return ""


def _difference(row: ListedAddress, destination: Destination) -> str:
    if row.address != destination.address:
        return f"At the exchange {row.key} leads to {row.address}, and not to {destination.address}."
    if row.method != destination.method:
        return f"At the exchange {row.key} goes by {row.method}, and not by {destination.method}."
    if row.memo != destination.memo:
        now, here = (f"the memo {memo}" if memo else "no memo" for memo in (row.memo, destination.memo))
        return f"At the exchange {row.key} has {now}, and here {here}."
    return ""
