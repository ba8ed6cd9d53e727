"""What can be wrong with where money shall go."""

from portal.core.errors import Invalid, NotFound, Refused


class UnknownAddress(NotFound):
    """The Account has no address of that name for that asset."""


class AddressMismatch(Invalid):
    """The address given is not the one behind the name given."""


class AddressDrifted(AddressMismatch):
    """The exchange's own book says something else of the address than was agreed to here, or nothing any more."""


class FeeTooHigh(Invalid):
    """The network takes more than was allowed."""


class OverCap(Refused):
    """The key may not send as much, at once or in a day."""
