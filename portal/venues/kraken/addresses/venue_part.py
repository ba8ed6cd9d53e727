"""The book of addresses, as the rest of the portal asks about it."""

from collections.abc import Collection, Mapping, Sequence

from portal.venues.kraken.addresses import drift, listing
from portal.venues.types import AddressListing, Destination


class KrakenAddresses:
    """Fulfils `Mirroring`."""

    def listed_addresses(self, account_ids: Collection[int]) -> Mapping[int, AddressListing]:
        """See the method of that name in `portal/venues/mirroring.py`."""
        return listing.last_said(account_ids) if account_ids else {}

    def read_listed_addresses(self, account_id: int) -> AddressListing | None:
        """See the method of that name in `portal/venues/mirroring.py`."""
        return listing.ask(account_id)

    def destination_trouble(self, account_id: int, destination: Destination) -> str:
        """See the method of that name in `portal/venues/mirroring.py`."""
        return listing.last_said_of(account_id).trouble_with(destination)

    def watch_destinations(self, account_id: int, destinations: Sequence[Destination]) -> int:
        """See the method of that name in `portal/venues/mirroring.py`."""
        return drift.watch(account_id, destinations)
