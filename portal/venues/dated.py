"""What a venue tells is of a moment: of now where it keeps everything itself, of the last reading where it asks."""

from typing import Protocol

from portal.venues.types import AsOf, Part


class Dated(Protocol):
    """Since when a venue knows what it tells, and whether money is real there."""

    is_real: bool

    def as_of(self, account_id: int, part: Part) -> AsOf:
        """Of which moment is what this page was told of that part; asked after the part itself."""
