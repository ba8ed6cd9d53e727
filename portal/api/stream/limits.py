"""How much one source, one key and one socket may ask for (reference §5); more is refused in the protocol's words.

Connects are counted by source in each process; whoever is banned is so in all of them, where there is a Redis.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings

from portal.api.limits import lockout
from portal.api.stream.threads import run
from portal.core.web.proxies import network

KEPT: Final = 10_000
# Reading a message takes the loop of all sockets longer, the longer it is: so much of it counts as one more.
COUNTED_AS_ONE: Final = 2048


@dataclass(slots=True)
class Bucket:
    """A counter that leaks: `most` at once, and `rate` a second in the long run. Moments are in seconds."""

    most: float
    rate: float
    level: float = 0.0
    at: float = 0.0

    def takes(self, moment: float, cost: float = 1.0) -> bool:
        """Count one more, and say whether it had room; what has none does not count."""
        self.level = max(self.level - max(moment - self.at, 0.0) * self.rate, 0.0)
        self.at = moment
        if self.level + cost > self.most:
            return False
        self.level += cost
        return True


_connects: OrderedDict[str, Bucket] = OrderedDict()


async def may_connect(source: str, now: datetime) -> bool:
    """Count a new socket of that source, and say whether it may be opened; too many in a while are a ban."""
    if not settings.API_LIMITS:
        return True
    # Redis may be slow to answer, and the loop waits for nobody.
    if await run(lockout.is_barred, source, now):
        return False
    most, span = settings.STREAM_CONNECTS, settings.STREAM_CONNECTS_WITHIN.total_seconds()
    name = network(source)
    bucket = _connects.setdefault(name, Bucket(most=most, rate=most / span))
    _connects.move_to_end(name)
    while len(_connects) > KEPT:
        _connects.popitem(last=False)
    if bucket.takes(now.timestamp()):
        return True
    await run(lockout.bar, source, now, settings.STREAM_BAN)
    return False


def cost(message: str) -> float:
    """What a message counts for: an order is hardly more than one, the longest that is read more than thirty."""
    return 1 + len(message) / COUNTED_AS_ONE


def messages() -> Bucket:
    """How fast one socket may send."""
    return Bucket(most=settings.STREAM_MESSAGES_AT_ONCE, rate=settings.STREAM_MESSAGES_PER_SECOND)


def forget_all() -> None:
    """Begin anew; for tests, which share a process."""
    _connects.clear()
