"""The venue of an Account."""

from portal.venues.kraken.venue import KrakenVenue
from portal.venues.paper.venue import PaperVenue
from portal.venues.protocol import Venue
from portal.venues.relaying import RelayedAnswer
from portal.venues.standing import Standing

VENUES: dict[str, Venue] = {"paper": PaperVenue(), "kraken": KrakenVenue()}


def venue(name: str) -> Venue:
    """The venue that `Account.venue` names."""
    return VENUES[name]


def relayed_publicly(method: str, query: str) -> RelayedAnswer | None:
    """A public call as an exchange answers it, where the operator has named the one whose prices are told.

    Raises: Invalid, Unavailable.
    """
    answers = (each.relay_public(method, query) for each in VENUES.values())
    return next((answer for answer in answers if answer is not None), None)


def shown() -> Venue:
    """The venue that a caller without a key is shown."""
    return next(iter(VENUES.values()))


def standings() -> tuple[Standing, ...]:
    """What an operator is told of each of them."""
    return tuple(each.standing() for each in VENUES.values())
