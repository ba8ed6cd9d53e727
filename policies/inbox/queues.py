"""Which requests a Member finds where: waiting for them, asked by them, in their view, done (DESIGN R9)."""

from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q

from policies import snapshot as gathering
from policies.access import VERIFIED
from policies.models import ChangeRequest, Decision, Grant
from policies.models.change import ChangeQuerySet
from policies.registry import all_operations, frees_nothing
from policies.rules import PASSKEY, RESTED
from policies.workflows import Right, Workflow
from portal.core.paging import capped

if TYPE_CHECKING:
    from accounts.models import Member


def waiting_for(member: "Member") -> ChangeQuerySet:
    """What `member` can decide now, and nothing else: R3 as one query.

    Read along the index of what is open by expiry; all that concerns the person is looked up before, so that a page
    or a capped count stops as soon as it is full.
    """
    if not _may_decide(member):
        return ChangeRequest.objects.none()
    person = member.user_id
    own = list(member.organization.members.filter(user_id=person).values_list("pk", flat=True))
    decided = Decision.objects.filter(change=OuterRef("pk"), person_id=person)
    waiting = ChangeRequest.objects.of(member.organization_id).waiting().filter(_opened_by(member, Right.APPROVE))
    waiting = waiting.exclude(member__in=own).exclude(subject_member__in=own).exclude(api_key__in=_kept(member))
    waiting = waiting.filter(~Exists(decided))
    waiting = waiting.exclude(pk__in=_gained_by(member, waiting))
    if _is_resting(member):
        waiting = waiting.exclude(workflow__in=[workflow.value for workflow in RESTED])
    return waiting


def waiting_count(member: "Member") -> int:
    """How many wait for `member`, `capped`."""
    return capped(waiting_for(member))


def waiting_by_workflow(member: "Member") -> dict[str, int]:
    """How many wait for `member` in each workflow, each `capped`."""
    waiting = waiting_for(member)
    return {workflow.value: capped(waiting.filter(workflow=workflow)) for workflow in Workflow}


def asked_by(member: "Member") -> ChangeQuerySet:
    """All that `member` ever asked for."""
    return ChangeRequest.objects.of(member.organization_id).filter(member=member)


def visible(member: "Member") -> ChangeQuerySet:
    """Every request that `member` may look at: by View, as who asked, or as custodian of the key that asked."""
    return ChangeRequest.objects.of(member.organization_id).filter(
        _opened_by(member, Right.VIEW) | Q(member=member) | Q(api_key__in=_kept(member))
    )


def viewable(member: "Member") -> ChangeQuerySet:
    """What is open among `visible`."""
    return visible(member).open()


def done(member: "Member") -> ChangeQuerySet:
    """What has ended among `visible`, in fact if not yet in writing."""
    return visible(member).ended()


def _kept(member: "Member") -> list[int]:
    """The keys that `member` ever made, or was custodian of."""
    person = Q(keys__made_by__user_id=member.user_id) | Q(keys__custodians__member__user_id=member.user_id)
    return list(member.organization.service_users.filter(person).values_list("keys", flat=True).distinct())


def _gained_by(member: "Member", waiting: ChangeQuerySet) -> list[int]:
    """What of it lets keys of this person withdraw at once (DESIGN P2): at most one request of each who may ask."""
    may_be = [entry.key for entry in all_operations() if entry.frees is not frees_nothing]
    rows = list(waiting.filter(operation__in=may_be).with_parties())
    facts = gathering.gather(member.organization, rows) if rows else None
    return [change.pk for change in rows if facts and member.user_id in gathering.asked(change, facts).barred]


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
    by_app = Q(authenticators__confirmed=True) & ~Q(organization__second_factor_level=PASSKEY)
    return bool(fresh.filter(by_app | Q(passkeys__confirmed=True)).exists())


def _is_resting(member: "Member") -> bool:
    """Whether their factors were put anew so lately that they approve next to nothing (DESIGN M4), read now."""
    return type(member).objects.resting().filter(pk=member.pk).exists()
