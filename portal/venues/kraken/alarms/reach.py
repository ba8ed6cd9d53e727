"""Whom an alarm concerns: who sees it, who may acknowledge it, and who is written to."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Member
from accounts.models.member import Identity
from policies.access import allows
from policies.models import Grant
from policies.workflows import Right, Workflow
from portal.core.database.compiled.given import Key
from portal.venues.kraken.models import Alarm

MONEY = Workflow.INITIATE_WITHDRAWAL
ACCESS = Workflow.MANAGE_ACCESS


def workflows_of(alarm: Alarm) -> tuple[Workflow, ...]:
    """Whose business it is: that of withdrawals of its Account; of a credential also that of Manage Access."""
    return (MONEY, ACCESS) if alarm.is_of_credential else (MONEY,)


def seen_by(member_id: Key, organization_id: Key) -> QuerySet[Alarm]:
    """The alarms of the Accounts whose withdrawals that Member may view; those of credentials also by Manage Access."""
    # Any right on a workflow implies View.
    held = Grant.objects.filter(member=member_id)
    of_account = held.filter(workflow=MONEY).filter(Q(account=None) | Q(account=OuterRef("account_id")))
    of_credential = Q(kind__in=Alarm.CREDENTIAL_KINDS) & Q(Exists(held.filter(workflow=ACCESS)))
    return Alarm.objects.filter(Q(Exists(of_account)) | of_credential, organization=organization_id)


def may_acknowledge(member: Member, alarm: Alarm) -> bool:
    """Whether `member` may say that they know: who may approve or ask there."""
    return any(
        allows(member, workflow, right, alarm.account_id if workflow.by_account else None)
        for workflow in workflows_of(alarm)
        for right in (Right.APPROVE, Right.INITIATE)
    )


def written_to(alarm: Alarm) -> list[Member]:
    """Everybody who approves there."""
    approving = Grant.objects.filter(member=OuterRef("pk"), right__in=Right.APPROVE.given_by)
    money = approving.filter(workflow=MONEY).filter(Q(account=None) | Q(account=alarm.account_id))
    reached = Q(Exists(money))
    if alarm.is_of_credential:
        reached |= Q(Exists(approving.filter(workflow=ACCESS)))
    members = Member.objects.active().filter(reached, organization=alarm.organization_id, identity=Identity.VERIFIED)
    return list(members.select_related("user").order_by("pk"))
