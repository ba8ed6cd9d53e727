"""What is on hold for requests past their time, given back before anybody looks (DESIGN R5, K7).

A bot's `Balance` may cost two statements, so this remembers until when there is nothing to give back. That is exact
whoever opens requests meanwhile, in any process: a request stays open for an hour at least.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Min
from django.utils import timezone

from policies.models import OPEN_STATES, ChangeRequest
from policies.models.policy import MIN_OPEN_HOURS
from portal.treasury.withdrawals import release_expired

# Nodes' clocks differ by seconds; this leaves minutes.
MARGIN: Final = timedelta(minutes=5)
SHORTEST: Final = timedelta(hours=MIN_OPEN_HOURS) - MARGIN
# By Account: when this process looked, and until when nothing can be due.
_looked: dict[int, tuple[datetime, datetime]] = {}


def release_due(account_id: int) -> None:
    """Give back what is overdue in the Account. Nearly always this asks the database nothing."""
    now = timezone.now()
    looked, until = _looked.get(account_id, (now, now))
    if looked <= now < until:
        return
    release_expired(account_id)
    # An approved one can go back to waiting, so its time counts too.
    held = ChangeRequest.objects.filter(withdrawal__account=account_id, state__in=OPEN_STATES)
    earliest = held.aggregate(at=Min("expires_at"))["at"]
    _looked[account_id] = (now, min(earliest or now + SHORTEST, now + SHORTEST))


def forget() -> None:
    """Look again at the next call: for tests, which share one process."""
    _looked.clear()
