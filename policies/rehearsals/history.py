"""What came of rehearsals: the last of each workflow and group, and who of today's approvers has answered lately."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from django.db.models import OuterRef
from django.utils import timezone

from policies import payload
from policies.models import ChangeRequest, Decision
from policies.rehearsals.asking import SUBJECT, Rehearse, approvers, key_of
from policies.rules import Facts, Person, voided
from policies.workflows import Workflow
from portal.core.database.one_reading import keep, once
from portal.core.database.rows import Rows, instant, nested

if TYPE_CHECKING:
    from accounts.models import Organization

    class _Read(ChangeRequest):
        """A rehearsal with the decisions on it: person, yes or no, when, and on which digest."""

        given: list[list[Any]]


COUNTS_FOR: Final = timedelta(days=30)
# As many rehearsals are looked back at: of the workflows, groups and members of a large house more than a month's.
LOOK_BACK: Final = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """Who answered a rehearsal with yes, and when."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """One that was asked for: who answered, and who of those who were asked did not, by name."""

    change: ChangeRequest
    workflow: Workflow
    group: str
    answers: tuple[Answer, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether everybody who may approve on a workflow today has answered a rehearsal of it in the last 30 days.

    `missing` are those who have not, by name; `waiting` is a rehearsal for everybody that can still be answered.
    """

    workflow: Workflow
    approvers: int
    missing: tuple[str, ...]
    waiting: ChangeRequest | None = None

    @property
    def is_ready(self) -> bool:
        """Whether a lock is offered."""
        return self.approvers > 0 and not self.missing

    @property
    def answered(self) -> int:
        """How many of them have answered."""
        return self.approvers - len(self.missing)


@dataclass(frozen=True, slots=True)
class Past:
    """The last rehearsal of each workflow and group, newest first, and how ready each workflow is."""

    last: tuple[Rehearsal, ...]
    ready: Mapping[Workflow, Readiness]


def past(organization: "Organization", facts: Facts) -> Past:
    """What came of rehearsals, in one statement."""
    now = timezone.now()
    found = list(_read(organization, facts))
    last: dict[tuple[Workflow, int | None], Rehearsal] = {}
    answered: dict[Workflow, set[int]] = {workflow: set() for workflow in Workflow}
    waiting: dict[Workflow, ChangeRequest] = {}
    for row, workflow, params in found:
        last.setdefault((workflow, params.group), _told(row, workflow, params, facts))
        answered[workflow] |= _answered(row, facts, since=now - COUNTS_FOR)
        if params.group is None and row.state == "pending" and not row.is_past_its_time:
            waiting.setdefault(workflow, row)
    ready = {workflow: _readiness(facts, workflow, answered[workflow], waiting.get(workflow)) for workflow in Workflow}
    return Past(tuple(last.values()), ready)


def unanswered(change: ChangeRequest, params: Rehearse, facts: Facts) -> tuple[str, ...]:
    """Who of those who were asked has not said yes, by name."""
    decisions = once(_decisions_on(change.pk), lambda: list(change.decisions.all()))
    said = {given.person_id for given in decisions if given.approved and given.digest == change.digest}
    return tuple(person.name for person in _asked(params, facts) if person.user_id not in said)


def read_answers(changes: Sequence[ChangeRequest]) -> None:
    """Read together what `unanswered` would read of each of them, for a page that shows them all."""
    given: dict[int, list[Decision]] = {change.pk: [] for change in changes}
    for decision in Decision.objects.filter(change__in=given):
        given[decision.change_id].append(decision)
    for pk, decisions in given.items():
        keep(_decisions_on(pk), decisions)


def _decisions_on(pk: int) -> tuple[str, int]:
    return ("decisions on a rehearsal", pk)


def _read(organization: "Organization", facts: Facts) -> "Iterator[tuple[_Read, Workflow, Rehearse]]":
    """Each as it was asked for, newest first; of what was altered, or cannot be read, nothing is believed."""
    given = Rows(Decision.objects.filter(change=OuterRef("pk")), "person_id", "approved", "at", "digest")
    rows = ChangeRequest.objects.of(organization).filter(subject=SUBJECT).select_related("member")
    workflows = {key_of(workflow): workflow for workflow in Workflow}
    for row in rows.annotate(given=given).order_by("-id")[:LOOK_BACK]:
        workflow = workflows.get(row.operation)
        if workflow is None or payload.digest(row) != row.digest:
            continue
        try:
            yield cast("_Read", row), workflow, payload.decode(Rehearse, row.params)
        except payload.Unreadable:
            continue


def _yes(row: "_Read") -> dict[int, datetime]:
    """When each person said yes to it, by person."""
    return {
        person: instant(at) for person, approved, at, digest in nested(row.given) if approved and digest == row.digest
    }


def _told(row: "_Read", workflow: Workflow, params: Rehearse, facts: Facts) -> Rehearsal:
    said = _yes(row)
    asked = _asked(params, facts)
    answers = [Answer(person.name, said[person.user_id]) for person in asked if person.user_id in said]
    missing = tuple(person.name for person in asked if person.user_id not in said)
    return Rehearsal(row, workflow, params.group_name, tuple(sorted(answers, key=lambda one: one.at)), missing)


def _answered(row: "_Read", facts: Facts, *, since: datetime) -> set[int]:
    """The persons who showed by this one that they are there, also by asking for it; what is void counts no more."""
    at = _yes(row)
    if row.member is not None:
        at.setdefault(row.member.user_id, row.created_at)
    people = {person.user_id: person for person in facts.people}
    return {
        user for user, when in at.items() if when >= since and user in people and voided(people[user], when) is None
    }


def _readiness(facts: Facts, workflow: Workflow, answered: set[int], waiting: ChangeRequest | None) -> Readiness:
    people = approvers(facts, workflow)
    missing = tuple(person.name for person in people if person.user_id not in answered)
    return Readiness(workflow, len(people), missing, waiting)


def _asked(params: Rehearse, facts: Facts) -> tuple[Person, ...]:
    asked = set(params.asked)
    return tuple(person for person in facts.people if person.member_id in asked)
