"""A stretch of a list: after one place and up to another, by time and primary key."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, TypeAlias

# The time of a row and its primary key.
Place: TypeAlias = tuple[datetime, int]

BEFORE_ANY: Final = 0
AFTER_ANY: Final = 2**63 - 1
BEGINNING: Final[Place] = (datetime(1, 1, 1, tzinfo=UTC), BEFORE_ANY)
END: Final[Place] = (datetime.max.replace(tzinfo=UTC), AFTER_ANY)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The rows that stand after `after`, up to `until` and it included. Each bound narrows it; None does not."""

    after: Place = BEGINNING
    until: Place = END

    def has(self, place: Place) -> bool:
        """Whether a row at that place is in it."""
        return self.after < place <= self.until

    def beyond(self, place: Place | None) -> "Stretch":
        """What is newer than the row at that place."""
        return self if place is None else replace(self, after=max(self.after, place))

    def up_to(self, place: Place | None) -> "Stretch":
        """The row at that place and what is older."""
        return self if place is None else replace(self, until=min(self.until, place))

    def later_than(self, at: datetime | None) -> "Stretch":
        """After the instant, exclusive."""
        return self if at is None else self.beyond((at, AFTER_ANY))

    def since(self, at: datetime | None) -> "Stretch":
        """From the instant on, inclusive."""
        return self if at is None else self.beyond((at, BEFORE_ANY))

    def through(self, at: datetime | None) -> "Stretch":
        """Up to the instant, inclusive."""
        return self if at is None else self.up_to((at, AFTER_ANY))

    def before(self, at: datetime | None) -> "Stretch":
        """Up to the instant, exclusive."""
        return self if at is None else self.up_to((at, BEFORE_ANY))
