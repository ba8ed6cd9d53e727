"""The part of PaperVenue that mirrors a book of addresses: none, the Account's own is all there is."""

from collections.abc import Collection, Mapping, Sequence

from portal.venues.types import AddressListing, Destination


class PaperBook:
    """Fulfils `Mirroring`."""

    def listed_addresses(self, account_ids: Collection[int]) -> Mapping[int, AddressListing]:
        """None."""
        return {}

    def read_listed_addresses(self, account_id: int) -> AddressListing | None:
        """None."""
        return None

    def destination_trouble(self, account_id: int, destination: Destination) -> str:
        """Nothing is against it."""
        return ""

    def watch_destinations(self, account_id: int, destinations: Sequence[Destination]) -> int:
        """There is nothing to compare with."""
        return 0
