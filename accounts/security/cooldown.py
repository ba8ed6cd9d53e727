"""The day after somebody's factors were put anew: they approve nothing and finish nothing alone of money, access and
policies, and all approvers are told (DESIGN M4).
"""

from collections.abc import Iterable, Sequence
from typing import Final

from django.utils import timezone

from accounts.authentication import notifications
from accounts.authentication.email_links import absolute
from accounts.factors.enrolled import held
from accounts.models import Member
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record

RESET: Final = "member_reset"
ENROLLED: Final = "member_enrolled"
BY_CODE: Final = "member_enrolled_by_code"


def begin(where: Iterable[Member], *, by_code: bool = False) -> None:
    """Let a person rest in these places from now on, until a day after they first enrol again.

    `by_code`: that is what they have just done.
    """
    now = timezone.now()
    Member.objects.filter(pk__in=[place.pk for place in where]).update(
        factors_reset_at=now, factors_reset_by_code=by_code, factors_enrolled_at=now if by_code else None
    )


def begin_by_code(where: Sequence[Member]) -> None:
    """A recovery code has led to a new factor: a password and a code on paper must not move money the same day.

    Each Organization in which that factor counts is told.
    """
    begin(where, by_code=True)
    for place in where:
        record(EventKind.FACTOR_ADDED_BY_CODE, actor=place, subject=place, workflow=Workflow.MANAGE_ACCESS)
        tell_approvers(place, BY_CODE)


def enrolled(where: Iterable[Member]) -> None:
    """They hold a factor again where they were reset: the day begins, and those who approve there learn of it."""
    waiting = Member.objects.filter(
        pk__in=[place.pk for place in where], factors_reset_at__isnull=False, factors_enrolled_at=None
    )
    for place in list(waiting.select_related("user", "organization").order_by("organization_id")):
        Member.objects.filter(pk=place.pk).update(factors_enrolled_at=timezone.now())
        tell_approvers(place, ENROLLED)


def carry_over(member: Member) -> None:
    """A membership that begins while the person rests elsewhere rests as well, from its beginning."""
    others = Member.objects.filter(user=member.user_id).exclude(pk=member.pk)
    resting = others.resting().order_by("-factors_reset_at").first()
    if resting is not None:
        now = timezone.now()
        Member.objects.filter(pk=member.pk).update(
            factors_reset_at=now,
            factors_reset_by_code=resting.factors_reset_by_code,
            factors_enrolled_at=now if held(member) else None,
        )


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
        notifications.notify_security(
            approver.user,
            kind,
            name=member.label,
            organization=member.organization.name,
            # Where the member sat is nobody else's news.
            source="",
            link=absolute("/history/", of=member.organization_id),
        )
