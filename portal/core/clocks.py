"""How far two readings of the time may be apart: nodes keep time by NTP, and a clock may still be set wrong and right.

Nothing that was written under a clock that ran ahead may stop anybody until the right time has caught up with it.
"""

from datetime import datetime, timedelta
from typing import Final

# Nodes that keep time differ by far less. What is later than this was written under a clock that ran ahead.
SKEW: Final = timedelta(minutes=1)


def is_ahead(moment: datetime, now: datetime) -> bool:
    """Whether `moment`, which was once now, cannot be: the clock stood wrong then, or it does so now."""
    return moment > now + SKEW
