"""The venue of an Account."""

from portal.venues.paper.venue import PaperVenue
from portal.venues.protocol import Venue

VENUES: dict[str, Venue] = {"paper": PaperVenue()}


def venue(name: str) -> Venue:
    """The venue that `Account.venue` names."""
    return VENUES[name]


def shown() -> Venue:
    """The venue that a caller without a key is shown."""
    return next(iter(VENUES.values()))
