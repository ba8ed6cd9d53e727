"""Requests as rows of a list, and the days under which they stand."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from policies import readability
from policies.inbox import queues
from policies.models import ChangeRequest, Decision
from policies.progress import progress
from policies.rules import Facts
from portal.core.web.http import MemberRequest


@dataclass(frozen=True, slots=True)
class Row:
    """One request in a list."""

    change: ChangeRequest
    given: int
    needed: int
    is_yours: bool
    is_own: bool
    is_money: bool


@dataclass(frozen=True, slots=True)
class Day:
    title: str
    rows: list[Row]


def named(change: ChangeRequest) -> str:
    """Its title with what it is about in its place: `Withdraw 1.25 BTC to btc-cold`."""
    return change.heading


def rows(request: MemberRequest, changes: list[ChangeRequest], facts: Facts) -> list[Row]:
    """`changes` with how far each has come, in two queries."""
    keys = [change.pk for change in changes]
    counts = progress(changes, facts, Decision.objects.filter(change__in=keys))
    yours = set(queues.waiting_for(request.member).filter(pk__in=keys).values_list("pk", flat=True))
    return [
        Row(
            change,
            *counts[change.pk],
            is_yours=change.pk in yours,
            is_own=change.member_id == request.member.pk,
            is_money=readability.moves_money(change),
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
