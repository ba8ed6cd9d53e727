"""A key's query window, by the exchange's own times: Unix seconds with a fraction, or whole ones."""

import time
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from portal.venues.kraken.relay.values import number, unix

# Finer than any time the exchange writes. Its own bounds are the other way round: `start` exclusive, `end` inclusive.
INSTANT: Final = Decimal("0.0000001")
ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class Window:
    """From `first`, inclusive, to `before`, exclusive; None where it is open."""

    first: Decimal | None
    before: Decimal | None

    @property
    def is_open(self) -> bool:
        """Whether it shows everything."""
        return self.first is None and self.before is None

    @property
    def has_ended(self) -> bool:
        """Whether nothing that happens from now on is in it."""
        return self.before is not None and self.before <= Decimal(time.time())

    def has(self, at: object) -> bool:
        """Whether it shows what happened then. What has no time that can be read is not shown."""
        when = number(at)
        if when is None:
            return False
        return (self.first is None or when >= self.first) and (self.before is None or when < self.before)

    def has_cut(self, at: object) -> bool:
        """The same of a time that was cut to the digits it has: all that may have been cut off has to be shown too."""
        when = number(at)
        if when is None:
            return False
        unit = ONE.scaleb(min(0, int(when.as_tuple().exponent)))
        return self.has(when) and (self.before is None or when + unit <= self.before)

    def start(self, said: Decimal | None) -> Decimal | None:
        """An exclusive `start` that shows nothing from before the window."""
        bounds = [each for each in (said, None if self.first is None else self.first - INSTANT) if each is not None]
        return max(bounds, default=None)

    def end(self, said: Decimal | None) -> Decimal | None:
        """An inclusive `end` that shows nothing from after the window."""
        bounds = [each for each in (said, None if self.before is None else self.before - INSTANT) if each is not None]
        return min(bounds, default=None)

    def since(self, said: Decimal | None) -> Decimal | None:
        """An inclusive beginning."""
        return max((each for each in (said, self.first) if each is not None), default=None)

    def whole_since(self, said: Decimal | None) -> Decimal | None:
        """An inclusive beginning in whole seconds, with less than one too many."""
        since = self.since(said)
        return None if since is None else since.to_integral_value(ROUND_FLOOR)

    def whole_until(self, said: Decimal | None) -> Decimal | None:
        """An end in whole seconds, with less than one too many."""
        before = None if self.before is None else self.before.to_integral_value(ROUND_CEILING)
        return min((each for each in (said, before) if each is not None), default=None)


def of(seen_from: datetime | None, seen_before: datetime | None) -> Window:
    """The window of a key."""
    return Window(None if seen_from is None else unix(seen_from), None if seen_before is None else unix(seen_before))
