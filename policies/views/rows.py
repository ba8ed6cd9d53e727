"""Requests as rows of a list, and the days under which they stand."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, cast

from django.db.models import Exists, OuterRef, Value
from django.urls import reverse
from django.utils import timezone

from policies import freezes, readability
from policies.inbox import queues
from policies.models import ChangeRequest, Decision, State
from policies.models.change import ChangeQuerySet
from policies.progress import GroupStanding, progress
from policies.rules import Facts, Frozen
from portal.core.web.http import MemberRequest

if TYPE_CHECKING:
    from accounts.models import Member

    class _Shown(ChangeRequest):
        """A request with what the query says besides."""

        is_yours: bool


# What stands in an address for a reference, which is made of letters and digits as this is.
REFERENCE: Final = "REFERENCE"


@dataclass(frozen=True, slots=True)
class Row:
    """One request in a list. `url` is its page, `state` as people read it; `frozen` is the freeze that holds it up."""

    change: ChangeRequest
    url: str
    state: State
    given: int
    needed: int
    is_yours: bool
    is_own: bool
    is_money: bool
    groups: tuple[GroupStanding, ...] = ()
    frozen: Frozen | None = None


@dataclass(frozen=True, slots=True)
class Day:
    title: str
    rows: list[Row]


def named(change: ChangeRequest) -> str:
    """Its title with what it is about in its place: `Withdraw 1.25 BTC to btc-cold`."""
    return change.heading


def shown_to(member: "Member", *, yours: bool | None = None) -> ChangeQuerySet:
    """Requests with what a row shows of others, and whether they wait for `member`, where `yours` does not say it.

    Few enough tables that PostgreSQL weighs every order of joining them: it begins with the rows of the page.
    """
    everything: ChangeQuerySet = ChangeRequest.objects.of(member.organization_id)
    parties = everything.select_related("account", "api_key", "member__user", "service_user")
    if yours is not None:
        return parties.annotate(is_yours=Value(yours))
    return parties.annotate(is_yours=Exists(queues.waiting_for(member).filter(pk=OuterRef("pk"))))


def rows(request: MemberRequest, changes: list[ChangeRequest], facts: Facts) -> list[Row]:
    """`changes`, as `shown_to` gives them, with how far each has come."""
    # To look for the route takes longer than anything else that a row does: once is enough.
    page = reverse("policies:request", args=[REFERENCE])
    counts = progress(changes, facts, Decision.objects.filter(change__in=[change.pk for change in changes]))
    return [
        Row(
            change,
            page.replace(REFERENCE, change.reference),
            change.shown_state,
            counts[change.pk].given,
            counts[change.pk].needed,
            is_yours=cast("_Shown", change).is_yours,
            is_own=change.member_id == request.member.pk,
            is_money=readability.moves_money(change),
            groups=counts[change.pk].groups,
            frozen=freezes.holding_up(change, facts) if facts.freezes and change.is_open else None,
        )
        for change in changes
    ]


def days(rows: list[Row], *, pressing: bool) -> list[Day]:
    """Rows under the day on which they close, or were asked."""
    found: list[Day] = []
    for row in rows:
        title = _day(row.change.expires_at, "Closing") if pressing else _day(row.change.created_at, "Asked")
        if not found or found[-1].title != title:
            found.append(Day(title, []))
        found[-1].rows.append(row)
    return found


def _day(at: datetime, verb: str) -> str:
    day, today = timezone.localdate(at), timezone.localdate()
    near = {today: "today", today + timedelta(days=1): "tomorrow", today - timedelta(days=1): "yesterday"}
    if day in near:
        return f"{verb} {near[day]}"
    year = "" if day.year == today.year else f" {day.year}"
    return f"{verb} {day:%A} {day.day} {day:%B}{year}"
