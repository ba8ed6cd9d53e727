"""What is on hold for requests past their time, given back before anybody looks (DESIGN R5, K7).

They have expired whether or not a job has run, so nobody may find their money still gone. Giving back holds costs a
handful of statements however many they are; writing that a request has expired costs each its own transaction, so a
call writes a few at most and leaves the others to `manage.py work`. What was given back can no longer be sent.

A bot's `Balance` may cost one statement, so this remembers until when there is nothing to give back. That is exact
whoever opens requests meanwhile, in any process: a request stays open for an hour at least.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Min, Q
from django.utils import timezone

from accounts.models import Account
from policies import changes
from policies.models import OPEN_STATES, ChangeRequest, State
from policies.models.policy import MIN_OPEN_HOURS
from portal.audit.record import lock_history
from portal.jobs.isolated_loop import each
from portal.treasury.models import Withdrawal
from portal.venues.registry import venue

# Nodes' clocks differ by seconds; this leaves minutes.
MARGIN: Final = timedelta(minutes=5)
SHORTEST: Final = timedelta(hours=MIN_OPEN_HOURS) - MARGIN
# Requests whose expiry one call writes at most, and holds that are given back in one transaction.
WRITTEN: Final = 3
AT_ONCE: Final = 500
# By Account: when this process looked, and until when nothing can be due.
_looked: dict[int, tuple[datetime, datetime]] = {}


def may_be_due(account_id: int, now: datetime) -> bool:
    """Whether there may be something to give back in the Account; asks the database nothing."""
    looked, until = _looked.get(account_id, (now, now))
    return not looked <= now < until


def release_due(account_id: int) -> None:
    """Give back what is overdue in the Account. Nearly always this asks the database nothing."""
    now = timezone.now()
    if not may_be_due(account_id, now):
        return
    _release(account_id, now)
    # An approved one can go back to waiting, so its time counts too. What is past its time and waits is given back.
    held = ChangeRequest.objects.filter(withdrawal__account=account_id, state__in=OPEN_STATES)
    left = held.exclude(state=State.PENDING, expires_at__lte=now)
    earliest = left.aggregate(at=Min("expires_at"))["at"]
    _looked[account_id] = (now, min(earliest or now + SHORTEST, now + SHORTEST))


def forget() -> None:
    """Look again at the next call: for tests, which share one process."""
    _looked.clear()


def _release(account_id: int, now: datetime) -> None:
    overdue = Withdrawal.objects.filter(_past(now), account=account_id).order_by("pk")
    references = list(overdue.values_list("reference", "change__reference"))
    if not references:
        return
    account = Account.objects.get(pk=account_id)
    for start in range(0, len(references), AT_ONCE):
        some = [reference for reference, _ in references[start : start + AT_ONCE]]
        with transaction.atomic():
            # Under the lock of whoever decides: one that is being sent now is not given back.
            lock_history(account.organization_id)
            still = overdue.filter(reference__in=some)
            given_back = list(still.values_list("reference", flat=True))
            venue(account.venue).release_withdrawals(given_back)
            Withdrawal.objects.filter(reference__in=given_back, released_at=None).update(released_at=now)
    each((change for _, change in references[:WRITTEN]), _write, what="write that a request has expired")


def _past(now: datetime) -> Q:
    return Q(change__state=State.PENDING, change__expires_at__lte=now)


def _write(reference: str) -> int:
    return changes.expire(reference).state == State.EXPIRED
