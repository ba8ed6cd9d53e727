"""Which requests a Member finds where: waiting for them, asked by them, in their view, done (DESIGN R9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, Exists, OuterRef, Q, Subquery

from policies import rights
from policies import snapshot as gathering
from policies.access import granted
from policies.models import ChangeRequest, Decision, State
from policies.models.change import ChangeQuerySet
from policies.registry import all_operations, concerns_nobody_else, frees_nothing
from policies.rules import RESTED
from policies.workflows import Right, Workflow
from portal.core.database.compiled.given import Instant, Key
from portal.core.database.one_reading import keep, once
from portal.core.database.rows import Rows, nested
from portal.core.paging import MOST_COUNTED, CappedCount, capped

if TYPE_CHECKING:
    from accounts.models import Member

FREEING: Final = ("pk", "operation", "params")


def waiting_for(member: "Member") -> ChangeQuerySet:
    """What `member` can decide now, and nothing else: R3 as one query.

    Read along the index of what is open by expiry; all that concerns the person is looked up before, so that a page
    or a capped count stops as soon as it is full.
    """
    return once(("waiting for", member.pk), lambda: _waiting_for(member))


def _waiting_for(member: "Member") -> ChangeQuerySet:
    if not rights.of(member.pk).may_decide:
        return ChangeRequest.objects.none()
    return ChangeRequest.objects.of(member.organization_id).waiting().filter(_decidable_by(member))


def _decidable_by(member: "Member") -> Q:
    """What of all that waits is for `member` to decide, if they decide anything now."""
    decided = Decision.objects.filter(change=OuterRef("pk"), person_id=member.user_id)
    own = Q(member=member) | Q(subject_member=member) | _by_kept_key(member)
    found = _opened_by(member, Right.APPROVE) & ~own & Q(~Exists(decided))
    barred = _barred_to(member)
    if barred:
        found &= ~Q(pk__in=barred)
    if rights.of(member.pk).is_resting:
        found &= ~Q(workflow__in=[workflow.value for workflow in RESTED])
    return found


def not_waiting_for(member: "Member") -> ChangeQuerySet:
    """What is `viewable`, and nothing that `waiting_for` has."""
    if not rights.of(member.pk).may_decide:
        return viewable(member)
    # Said of each row: to look each up among those that wait takes as long as to list these.
    return visible(member).filter(Q(state=State.APPROVED) | ~_decidable_by(member)).open()


def waiting_count(member: "Member") -> int:
    """How many wait for `member`, `capped`."""
    return once(("waiting", member.pk), lambda: capped(waiting_for(member)))


@dataclass(frozen=True, slots=True)
class Overview:
    """How many there are for `member` of everything that the inbox counts, each `capped`, and what closes first."""

    by_workflow: Mapping[str, int]
    asked: int
    viewable: int
    first_closes_at: datetime | None

    @property
    def waiting(self) -> int:
        """How many wait in all workflows together."""
        return sum(self.by_workflow.values())


def overview(member: "Member") -> Overview:
    """All of it in one statement."""
    waiting = waiting_for(member)
    found: Mapping[str, Any] = (
        type(member.organization)
        .objects.filter(pk=member.organization_id)
        .values(
            # Gone through once: counted one by one as far as is told, each workflow of which less waits took all of it.
            counts=Rows(waiting.order_by().values("workflow").annotate(number=Count("pk")), "workflow", "number"),
            asked=CappedCount(asked_by(member).open()),
            viewable=CappedCount(viewable(member)),
            first=Subquery(waiting.order_by("expires_at").values("expires_at")[:1]),
        )
        .get()
    )
    counted = {workflow: min(number, MOST_COUNTED + 1) for workflow, number in found["counts"]}
    by_workflow = {workflow.value: counted.get(workflow.value, 0) for workflow in Workflow}
    # What the badge on the same page says.
    keep(("waiting", member.pk), min(sum(by_workflow.values()), MOST_COUNTED + 1))
    return Overview(by_workflow, found["asked"], found["viewable"], found["first"])


def asked_by(member: "Member") -> ChangeQuerySet:
    """All that `member` ever asked for."""
    return ChangeRequest.objects.of(member.organization_id).filter(member=member)


def visible(member: "Member") -> ChangeQuerySet:
    """Every request that `member` may look at: by View, as who asked, or as custodian of the key that asked."""
    return ChangeRequest.objects.of(member.organization_id).filter(
        _opened_by(member, Right.VIEW) | Q(member=member) | _by_kept_key(member)
    )


def viewable(member: "Member") -> ChangeQuerySet:
    """What is open among `visible`."""
    return visible(member).open()


def done(member: "Member") -> ChangeQuerySet:
    """What has ended among `visible`, in fact if not yet in writing."""
    return visible(member).ended()


def _by_kept_key(member: "Member") -> Q:
    """Asked through a key that `member` ever made, or was custodian of."""
    return Q(api_key__in=member.keys_made.values("pk")) | Q(api_key__in=member.custodies.values("api_key"))


def freeing(organization_id: Key, now: Instant | None = None) -> Rows:
    """What waits there that bars people by what its params say, as a column for `keep_freeing`; few of each asker.

    It may let keys withdraw at once, or be about several Members.
    """
    may_be = [
        entry
        for entry in all_operations()
        if entry.frees is not frees_nothing or entry.concerns is not concerns_nobody_else
    ]
    rows = (
        ChangeRequest.objects.of(organization_id)
        .waiting(now)
        .filter(workflow__in={entry.workflow.value for entry in may_be}, operation__in=[entry.key for entry in may_be])
    )
    return Rows(rows, *FREEING)


def keep_freeing(organization_id: int, rows: Sequence[Sequence[Any]]) -> None:
    """Let this page go by what a statement with that column has told."""
    keep(("freeing", organization_id), rows)


def _barred_to(member: "Member") -> list[int]:
    """What does not wait for this person: it lets their keys withdraw at once (DESIGN P2), or is about them (R3)."""
    organization = member.organization
    rows = once(
        ("freeing", organization.pk),
        lambda: type(organization).objects.filter(pk=organization.pk).values_list(freeing(organization.pk)).get()[0],
    )
    return [
        pk
        for pk, operation, params in rows
        if member.pk in gathering.concerned(operation, nested(params))
        or member.user_id in gathering.custodians_freed(organization, operation, nested(params))
    ]


def _opened_by(member: "Member", right: Right) -> Q:
    """The requests in workflows and Accounts where `member` holds `right`; none without any.

    Some that name no Account there are for whoever holds the right for any of them.
    """
    found = Q(pk__in=[])
    accounts: dict[str, set[int | None]] = {}
    for workflow, held, account_id in granted(member):
        if held in right.given_by:
            accounts.setdefault(workflow.value, set()).add(account_id)
    anywhere = Q(account_id=None, operation__in=[entry.key for entry in all_operations() if entry.any_account])
    for name, places in sorted(accounts.items()):
        here = Q(workflow=name)
        found |= here if None in places else here & (Q(account_id__in=places) | anywhere)
    return found
