"""KrakenVenue: an account at a real exchange (DESIGN V2), as the rest of the portal sees it."""

from portal.venues.kraken.addresses.venue_part import KrakenAddresses
from portal.venues.kraken.reading.venue_part import KrakenReading
from portal.venues.kraken.relay.venue_part import KrakenRelay
from portal.venues.kraken.watching import counts
from portal.venues.kraken.withdrawals.venue_part import KrakenWithdrawals
from portal.venues.standing import Standing


class KrakenVenue(KrakenReading, KrakenWithdrawals, KrakenAddresses, KrakenRelay):
    """Fulfils `Venue`; what each answer means stands there."""

    def standing(self) -> Standing:
        """Of all Accounts at exchanges."""
        return counts.standing()
