"""Room for one more request: how many one asker may have open, and what is not asked twice (DESIGN R5, R6)."""

from datetime import timedelta
from typing import Any, Final

from django.db.models import Count, Q
from django.utils import timezone

from policies.changes import transitions
from policies.models import OPEN_STATES, ChangeRequest, State
from policies.registry import Operation
from portal.core.errors import Conflict, TooMany

OPEN_PER_MEMBER: Final = 20
OPEN_PER_KEY: Final = 50
AFTER_REJECTION: Final = timedelta(hours=1)


class TakesMore(Exception):
    """It cannot be asked beside others: it would do more than ask."""


def make_room(change: ChangeRequest, entry: Operation[Any], *, alone: bool) -> None:
    """Expire what is past its time, then see that there is room for one more (R5, R6).

    Raises: TakesMore if something is past its time, unless it may be ended here.
    """
    mine = Q(member=change.member) if change.member_id else Q(service_user=change.service_user)
    capped = mine if change.member_id else Q(api_key=change.api_key)
    is_due = Q(state=State.PENDING, expires_at__lte=timezone.now())
    is_open = ChangeRequest.objects.filter(state__in=OPEN_STATES)
    found = is_open.filter(mine).aggregate(due=Count("pk", filter=is_due), open=Count("pk", filter=~is_due & capped))
    if found["due"]:
        if not alone:
            raise TakesMore
        due = ChangeRequest.objects.filter(mine, is_due).order_by("pk")
        transitions.each_apart(due.with_parties().for_change(), transitions.expire_now, what="expire a request")
        found = is_open.filter(mine).aggregate(open=Count("pk", filter=capped))
    limit = OPEN_PER_MEMBER if change.member_id else OPEN_PER_KEY
    if found["open"] >= limit:
        raise TooMany(f"{limit} requests of {change.initiator_label} are open, and no more may be. Cancel one first.")
    if entry.money:
        return
    alike = Q(operation=change.operation, subject=change.subject)
    standing = is_open.filter(mine, alike).first() if change.subject else None
    if standing is not None:
        raise Conflict(f"This is already asked in request {standing.number}. Cancel that one to ask anew.")
    since = timezone.now() - AFTER_REJECTION
    if ChangeRequest.objects.filter(mine, alike, state=State.REJECTED, ended_at__gt=since).exists():
        raise Conflict("This was rejected less than an hour ago. Speak to who rejected it, then ask again later.")
