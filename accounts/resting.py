"""The day after somebody's factors were put anew: they approve no money, and all approvers are told (DESIGN M4)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from django.conf import settings
from django.utils import timezone

from accounts import notices
from accounts.links import absolute
from accounts.models import Member
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record

RESET: Final = "member_reset"
BY_CODE: Final = "member_enrolled_by_code"


def begin(where: Iterable[Member], *, by_code: bool = False) -> datetime:
    """Let a person rest in these places from now on, and say until when."""
    now = timezone.now()
    Member.objects.filter(pk__in=[place.pk for place in where]).update(
        factors_reset_at=now, factors_reset_by_code=by_code
    )
    return now + settings.AFTER_RESET


def begin_by_code(where: Sequence[Member]) -> None:
    """A recovery code has led to a new factor: a password and a code on paper must not move money the same day.

    Each Organization in which that factor counts is told.
    """
    until = begin(where, by_code=True)
    for place in where:
        record(
            EventKind.FACTOR_ADDED_BY_CODE,
            actor=place,
            subject=place,
            workflow=Workflow.MANAGE_ACCESS,
            approves_no_money_until=until,
        )
        tell_approvers(place, BY_CODE)


def tell_approvers(member: Member, kind: str) -> None:
    """All who approve anything there learn of it, so that a stranger in somebody's place is noticed."""
    approvers = (
        Member.objects.active()
        .of(member.organization)
        .filter(grants__right=Right.APPROVE.value)
        .exclude(pk=member.pk)
        .select_related("user")
        .distinct()
        .order_by("pk")
    )
    for approver in approvers:
        notices.notify_security(
            approver.user,
            kind,
            name=member.label,
            organization=member.organization.name,
            # Where the member sat is nobody else's news.
            source="",
            link=absolute("/history/", of=member.organization_id),
        )
