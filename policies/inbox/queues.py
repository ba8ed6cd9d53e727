"""Which requests a Member finds where: waiting for them, asked by them, in their view, done (DESIGN R9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from policies import rights
from policies import snapshot as gathering
from policies.inbox.sight import Places, Shape, Sight, approved_by, values, viewing
from policies.models import ChangeRequest, Decision, State
from policies.models.change import ChangeQuerySet
from policies.registry import all_operations, concerns_nobody_else, frees_nothing
from policies.rules import RESTED
from policies.workflows import Workflow
from portal.core.database.compiled.given import Instant, Key
from portal.core.database.compiled.statement import Statement, compiled
from portal.core.database.one_reading import keep, once
from portal.core.database.rows import Rows, instant, nested
from portal.core.paging import MOST_COUNTED, CappedCount

if TYPE_CHECKING:
    from accounts.models import ApiKey, Custodian, Member, Organization

FREEING: Final = ("pk", "operation", "params")


def waiting_for(member: "Member") -> ChangeQuerySet:
    """What `member` can decide now, and nothing else: R3 as one query.

    Read along the index of what is open by expiry; all that concerns the person is looked up before, so that a page
    or a capped count stops as soon as it is full.
    """
    return once(("waiting for", member.pk), lambda: _waiting(_sight(member)))


def _sight(member: "Member") -> Sight:
    """All that decides what `member` finds now."""
    sees, approves = viewing(member), approved_by(member)
    if not approves:
        return sees
    return replace(sees, approves=approves, barred=_barred_to(member), is_resting=rights.of(member.pk).is_resting)


def _waiting(sight: Sight) -> ChangeQuerySet:
    if not sight.approves:
        return ChangeRequest.objects.none()
    return ChangeRequest.objects.of(sight.organization).waiting(sight.now).filter(_decidable(sight))


def _decidable(sight: Sight) -> Q:
    """What of all that waits is theirs to decide, if they decide anything now."""
    decided = Decision.objects.filter(change=OuterRef("pk"), person_id=sight.user)
    own = Q(member=sight.member) | Q(subject_member=sight.member) | _by_kept_key(sight)
    found = _opened(sight.approves) & ~own & Q(~Exists(decided))
    if sight.barred:
        found &= ~Q(pk__in=sight.barred)
    if sight.is_resting:
        found &= ~Q(workflow__in=[workflow.value for workflow in RESTED])
    return found


def not_waiting_for(member: "Member") -> ChangeQuerySet:
    """What is `viewable`, and nothing that `waiting_for` has."""
    sight = _sight(member)
    if not sight.approves:
        return viewable(member)
    # Said of each row: to look each up among those that wait takes as long as to list these.
    return _visible(sight).filter(Q(state=State.APPROVED) | ~_decidable(sight)).open()


def waiting_count(member: "Member") -> int:
    """How many wait for `member`, `capped`."""
    return once(("waiting", member.pk), lambda: _waiting_count(member))


def _waiting_count(member: "Member") -> int:
    sight = _sight(member)
    if not sight.approves:
        return 0
    [found] = _badge(sight.shape).run(**values(member, sight))
    return int(found["waiting"])


@lru_cache(maxsize=256)
def _badge(shape: Shape) -> Statement:
    """Every page asks for it, and to build it took longer than all else that a small page does."""
    sight = shape.sight()
    return compiled(_organization(sight).values(waiting=CappedCount(_waiting(sight))))


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
    sight = _sight(member)
    [found] = _counts(sight.shape).run(**values(member, sight))
    counted = {workflow: min(number, MOST_COUNTED + 1) for workflow, number in found.get("counts", ())}
    by_workflow = {workflow.value: counted.get(workflow.value, 0) for workflow in Workflow}
    # What the badge on the same page says.
    keep(("waiting", member.pk), min(sum(by_workflow.values()), MOST_COUNTED + 1))
    first = next((instant(at) for (at,) in found.get("first", ())), None)
    return Overview(by_workflow, found["asked"], found["viewable"], first)


@lru_cache(maxsize=256)
def _counts(shape: Shape) -> Statement:
    sight = shape.sight()
    columns: dict[str, Subquery] = {
        "asked": CappedCount(_asked(sight).open(sight.now)),
        "viewable": CappedCount(_visible(sight).open(sight.now)),
    }
    if sight.approves:
        waiting = _waiting(sight)
        # Gone through once: counted one by one as far as is told, each workflow of which less waits took all of it.
        counts = waiting.order_by().values("workflow").annotate(number=Count("pk"))
        columns["counts"] = Rows(counts, "workflow", "number")
        columns["first"] = Rows(waiting.order_by("expires_at")[:1], "expires_at")
    return compiled(_organization(sight).values(**columns))


def _organization(sight: Sight) -> "QuerySet[Organization]":
    """The one row that such a statement has."""
    organizations = cast("type[Organization]", ChangeRequest._meta.get_field("organization").related_model)
    return organizations.objects.filter(pk=sight.organization)


def asked_by(member: "Member") -> ChangeQuerySet:
    """All that `member` ever asked for."""
    return _asked(viewing(member))


def _asked(sight: Sight) -> ChangeQuerySet:
    return ChangeRequest.objects.of(sight.organization).filter(member=sight.member)


def visible(member: "Member") -> ChangeQuerySet:
    """Every request that `member` may look at: by View, as who asked, or as custodian of the key that asked."""
    return _visible(viewing(member))


def _visible(sight: Sight) -> ChangeQuerySet:
    return ChangeRequest.objects.of(sight.organization).filter(
        _opened(sight.views) | Q(member=sight.member) | _by_kept_key(sight)
    )


def viewable(member: "Member") -> ChangeQuerySet:
    """What is open among `visible`."""
    return visible(member).open()


def done(member: "Member") -> ChangeQuerySet:
    """What has ended among `visible`, in fact if not yet in writing."""
    return visible(member).ended()


def _by_kept_key(sight: Sight) -> Q:
    """Asked through a key that they ever made, or were custodian of."""
    keys = cast("type[ApiKey]", ChangeRequest._meta.get_field("api_key").related_model)
    custodies = cast("type[Custodian]", keys._meta.get_field("custodians").related_model)
    made = keys.objects.filter(made_by=sight.member).values("pk")
    return Q(api_key__in=made) | Q(api_key__in=custodies.objects.filter(member=sight.member).values("api_key"))


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


def _opened(places: Places) -> Q:
    """The requests in workflows and Accounts where a right is held; none without any.

    Some that name no Account there are for whoever holds the right for any of them.
    """
    found = Q(pk__in=[])
    anywhere = Q(account_id=None, operation__in=[entry.key for entry in all_operations() if entry.any_account])
    for name, accounts in places.items():
        here = Q(workflow=name)
        found |= here if accounts is None else here & (Q(account_id__in=accounts) | anywhere)
    return found
