"""Who may approve and has long decided nothing: none of the last requests that they could have, and nothing lately."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from django.db.models import Max, OuterRef
from django.utils import timezone

from policies.models import ChangeRequest, Decision, State
from policies.rehearsals.asking import approvers
from policies.rules import Facts, Person
from policies.workflows import Right, Workflow
from portal.core.database.compiled import given
from portal.core.database.compiled.statement import Statement, compiled
from portal.core.database.rows import Rows, instant, nested

if TYPE_CHECKING:
    from accounts.models import ApiKey, Organization

MISSED: Final = 10
LONG: Final = timedelta(days=30)
# Of each workflow so many requests are looked back at.
LOOK_BACK: Final = 200
DECIDED: Final = frozenset({State.EXECUTED, State.FAILED, State.REJECTED})
EVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Silent:
    """Who may approve in `workflow`, and has decided nothing there since then."""

    workflow: Workflow
    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class _Ended:
    """A request that waited for approvals: when it ended, who could not decide on it, and who did when."""

    at: datetime
    state: str
    account_id: int | None
    barred: frozenset[int]
    decisions: Mapping[int, datetime]

    def was_open_to(self, person: Person, workflow: Workflow, since: datetime) -> bool:
        """Whether that person could have decided it, who may approve since then."""
        return (
            self.at > since
            and person.user_id not in self.barred
            and person.holds(workflow, Right.APPROVE, self.account_id)
        )


def silent_approvers(organization: "Organization", facts: Facts) -> tuple[Silent, ...]:
    """Everybody of today who decided none of the last ten requests that others decided while they could, nor anything
    in 30 days; by workflow. Whom fewer than ten were decided beside is not silent: nothing much was asked.

    Three statements at the most, each along an index and of so many rows, however many requests there ever were.
    """
    ended = _ended(organization)
    people = {workflow: approvers(facts, workflow) for workflow, found in ended.items() if _decided(found)}
    since = _since({person for found in people.values() for person in found})
    cutoff = timezone.now() - LONG
    found: list[Silent] = []
    unsure: list[tuple[Workflow, Person]] = []
    for workflow, able in people.items():
        for person in able:
            quiet = _quiet_since(person, workflow, ended[workflow], since[person.member_id])
            if quiet is None or since[person.member_id] > cutoff:
                continue
            if quiet <= cutoff:
                found.append(Silent(workflow, person.name, quiet))
            elif not any(person.user_id in one.decisions for one in ended[workflow]):
                # All that was looked back at is of these days.
                unsure.append((workflow, person))
    busy = _busy(unsure, cutoff)
    found += [Silent(w, person.name, cutoff) for w, person in unsure if (w, person.user_id) not in busy]
    return tuple(found)


def _quiet_since(person: Person, workflow: Workflow, ended: list[_Ended], since: datetime) -> datetime | None:
    """Since when they have decided nothing there, as far as was looked back; None if that is no silence."""
    open_to = [one for one in _decided(ended) if one.was_open_to(person, workflow, since)]
    if len(open_to) < MISSED or any(person.user_id in one.decisions for one in open_to[:MISSED]):
        return None
    said = [one.decisions[person.user_id] for one in ended if person.user_id in one.decisions]
    if said:
        return max(said)
    return max(since, ended[-1].at) if len(ended) == LOOK_BACK or since == EVER else since


def _decided(ended: Iterable[_Ended]) -> list[_Ended]:
    """Those that somebody decided, newest first."""
    return [one for one in ended if one.state in DECIDED and one.decisions]


def _ended(organization: "Organization") -> dict[Workflow, list[_Ended]]:
    """What waited for approvals and has ended, newest first, of each workflow, in one statement."""
    [found] = _statement(type(organization)).run(organization=organization.pk)
    return {
        workflow: sorted(map(_as_ended, found[workflow.value]), key=lambda one: one.at, reverse=True)
        for workflow in Workflow
    }


@cache
def _statement(organizations: "type[Organization]") -> Statement:
    """Compiled once: that took ten times as long as to run it."""
    organization = given.key("organization")
    keys = cast("type[ApiKey]", ChangeRequest._meta.get_field("api_key").related_model).objects
    rows = (
        ChangeRequest.objects.of(organization)
        .filter(approvals_required__gt=given.Fixed(0), ended_at__isnull=False)
        .annotate(
            given=Rows(Decision.objects.filter(change=OuterRef("pk")), "person_id", "at"),
            custodians=Rows(keys.filter(pk=OuterRef("api_key")), "custodians__member__user_id"),
        )
        .order_by("-ended_at")
    )
    columns = ("ended_at", "state", "account_id", "member__user_id", "subject_member__user_id", "given", "custodians")
    columns_of: dict[str, Any] = {w.value: Rows(rows.filter(workflow=w.value)[:LOOK_BACK], *columns) for w in Workflow}
    return compiled(organizations.objects.filter(pk=organization).values(**columns_of))


def _as_ended(row: list[Any]) -> _Ended:
    ended_at, state, account_id, asker, subject, given, custodians = row
    held = {user for (user,) in nested(custodians)}
    barred = frozenset({asker, subject} | held) - {None}
    return _Ended(instant(ended_at), state, account_id, barred, {user: instant(at) for user, at in nested(given)})


def _since(people: Iterable[Person]) -> dict[int, datetime]:
    """From when on it counts against each of them that they decided nothing, by membership.

    That is when they came, or when something about them was last changed, which may have been their rights.
    """
    found = {person.member_id: person.joined_at or EVER for person in people}
    if not found:
        return {}
    about = ChangeRequest.objects.filter(subject_member__in=found, state=State.EXECUTED)
    for member, at in about.order_by().values_list("subject_member").annotate(Max("ended_at")):
        found[member] = max(found[member], at)
    return found


def _busy(unsure: list[tuple[Workflow, Person]], cutoff: datetime) -> frozenset[tuple[Workflow, int]]:
    """Who of them has decided something in that workflow since then after all, by workflow and person."""
    if not unsure:
        return frozenset()
    members = {person.member_id for _, person in unsure}
    given = Decision.objects.filter(member__in=members, at__gt=cutoff).order_by()
    pairs: Iterator[tuple[str, int]] = given.values_list("change__workflow", "person_id").distinct().iterator()
    return frozenset((Workflow(workflow), person) for workflow, person in pairs)
