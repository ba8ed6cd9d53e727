"""Books of addresses that mirror the exchange's own: what it lists, and where the two say different things."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from portal.venues.types import AddressListing, Destination


class Mirroring(Protocol):
    """What a venue says of addresses that only its exchange can add. One whose book is the Account's own lists none."""

    def listed_addresses(self, account_ids: Collection[int]) -> Mapping[int, AddressListing]:
        """What the exchange last said of each, in one statement; those are left out whose book is their own."""

    def read_listed_addresses(self, account_id: int) -> AddressListing | None:
        """The same of one Account, asked anew; what was last said, with the trouble, where that fails.

        Outside of transactions only. None for an Account whose book is its own.
        """

    def destination_trouble(self, account_id: int, destination: Destination) -> str:
        """Why nothing may be sent there, by what the exchange last listed; empty if nothing is against it."""

    def watch_destinations(self, account_id: int, destinations: Sequence[Destination]) -> int:
        """Compare the Account's book with what was last listed, and raise an alarm for each that is in new trouble.

        How many those are. An address that waits to be added at the exchange raises none; one that was there does.
        """
