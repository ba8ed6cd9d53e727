"""KrakenVenue: an account at a real exchange (DESIGN V2), as the rest of the portal sees it."""

from portal.venues.kraken.addresses.venue_part import KrakenAddresses
from portal.venues.kraken.reading.venue_part import KrakenReading
from portal.venues.kraken.relay.venue_part import KrakenRelay
from portal.venues.kraken.withdrawals.venue_part import KrakenWithdrawals


class KrakenVenue(KrakenReading, KrakenWithdrawals, KrakenAddresses, KrakenRelay):
    """Fulfils `Venue`; what each answer means stands there."""
