"""The day after somebody's factors were put anew: they approve no money, and all approvers are told (DESIGN M4)."""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.utils import timezone

from accounts import notices, places
from accounts.links import absolute
from accounts.models import Member, User
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record

RESET: Final = "member_reset"
BY_CODE: Final = "member_enrolled_by_code"


def begin(user: User, *, by_code: bool = False) -> datetime:
    """Let every membership of the person rest from now on, and say until when."""
    now = timezone.now()
    Member.objects.filter(user=user).update(factors_reset_at=now, factors_reset_by_code=by_code)
    return now + settings.AFTER_RESET


def begin_by_code(member: Member) -> None:
    """A recovery code has led to a new factor: a password and a code on paper must not move money the same day.

    Factors belong to the person, so this counts in all their Organizations, and each is told.
    """
    until = begin(member.user, by_code=True)
    for place in places.of(member.user):
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
