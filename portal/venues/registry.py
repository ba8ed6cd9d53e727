"""The venue of an Account."""

from portal.venues.kraken.venue import KrakenVenue
from portal.venues.paper.venue import PaperVenue
from portal.venues.protocol import Venue

VENUES: dict[str, Venue] = {"paper": PaperVenue(), "kraken": KrakenVenue()}


def venue(name: str) -> Venue:
    """The venue that `Account.venue` names."""
    return VENUES[name]


def shown() -> Venue:
    """The venue that a caller without a key is shown."""
    return next(iter(VENUES.values()))
