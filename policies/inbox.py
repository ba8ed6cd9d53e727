"""Which requests a Member finds where: waiting for them, asked by them, in their view, done (DESIGN R9)."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Count, Q
from django.utils import timezone

from policies.access import VERIFIED
from policies.models import ChangeRequest, Grant, State
from policies.models.change import ChangeQuerySet
from policies.registry import all_operations
from policies.rules import PASSKEY
from policies.workflows import Right, Workflow

if TYPE_CHECKING:
    from accounts.models import Member


def waiting_for(member: "Member") -> ChangeQuerySet:
    """What `member` can decide now, and nothing else: R3 as one query."""
    if not _may_decide(member):
        return ChangeRequest.objects.none()
    person = member.user_id
    theirs = (
        Q(member__user_id=person)
        | Q(subject_member__user_id=person)
        | Q(service_user__keys__made_by__user_id=person)
        | Q(service_user__keys__custodians__member__user_id=person)
        | Q(decisions__person_id=person)
    )
    barred = ChangeRequest.objects.filter(theirs, organization=member.organization_id, state=State.PENDING)
    mine = ChangeRequest.objects.of(member.organization_id).waiting().filter(_opened_by(member, Right.APPROVE))
    if _is_resting(member):
        mine = mine.exclude(operation__in=[entry.key for entry in all_operations() if entry.money])
    return mine.exclude(pk__in=barred.values("pk"))


def waiting_count(member: "Member", cap: int = 100) -> int:
    """How many wait for `member`, counted up to `cap`."""
    return waiting_for(member)[:cap].count()


def waiting_by_workflow(member: "Member") -> dict[str, int]:
    """How many wait for `member` in each workflow that has any."""
    rows = waiting_for(member).order_by().values("workflow").annotate(count=Count("pk"))
    return {row["workflow"]: row["count"] for row in rows}


def asked_by(member: "Member") -> ChangeQuerySet:
    """All that `member` ever asked for."""
    return ChangeRequest.objects.of(member.organization_id).filter(member=member)


def visible(member: "Member") -> ChangeQuerySet:
    """Every request that `member` may look at: by View, as who asked, or as custodian of the key that asked."""
    custody = ChangeRequest.objects.filter(
        Q(service_user__keys__custodians__member=member) | Q(service_user__keys__made_by=member),
        organization=member.organization_id,
    )
    return ChangeRequest.objects.of(member.organization_id).filter(
        _opened_by(member, Right.VIEW) | Q(member=member) | Q(pk__in=custody.values("pk"))
    )


def viewable(member: "Member") -> ChangeQuerySet:
    """What is open among `visible`."""
    return visible(member).open()


def done(member: "Member") -> ChangeQuerySet:
    """What has ended among `visible`, in fact if not yet in writing."""
    return visible(member).exclude(pk__in=ChangeRequest.objects.of(member.organization_id).open().values("pk"))


def _opened_by(member: "Member", right: Right) -> Q:
    """The requests in workflows and Accounts where `member` holds `right`; none without any."""
    found = Q(pk__in=[])
    accounts: dict[str, set[int | None]] = {}
    rows = Grant.objects.filter(member=member, right__in=right.given_by).values_list("workflow", "account_id")
    for workflow, account_id in rows:
        accounts.setdefault(workflow, set()).add(account_id)
    for workflow, held in accounts.items():
        here = Q(workflow=Workflow(workflow).value)
        found |= here if None in held else here & Q(account_id__in=held)
    return found


def _may_decide(member: "Member") -> bool:
    """Active, verified and with the second factor that the Organization asks for, read now."""
    fresh = type(member).objects.active().filter(pk=member.pk, identity=VERIFIED)
    by_app = Q(user__authenticator__confirmed=True) & ~Q(organization__second_factor_level=PASSKEY)
    return bool(fresh.filter(by_app | Q(user__passkey__confirmed=True)).exists())


def _is_resting(member: "Member") -> bool:
    """Whether their factors were reset so lately that they approve no money (DESIGN M4), read now."""
    rested = timezone.now() - settings.AFTER_RESET
    return type(member).objects.filter(pk=member.pk, factors_reset_at__gt=rested).exists()
