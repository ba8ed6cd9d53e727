"""What the reader of the history narrows it to: closed sets and two days, read from an address (security IN-3)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import BigIntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.http import urlencode

from policies.access import granted
from policies.workflows import Workflow
from portal.audit.models import AuditEvent
from portal.audit.queries import readable
from portal.core import actors
from portal.dashboard.history.sentences import TOPICS, kinds_of

if TYPE_CHECKING:
    from accounts.models import Member

MOST_ACTORS: Final = 200
LONGEST_NUMBER: Final = 18
# Of two events one after the other, how much older the second may be: the clocks of two processes, or one set right.
# An event that is further off is not found by its day, but without days it is.
CLOCKS_DIFFER: Final = timedelta(days=1)
# What others than members and Service Users are called where they act.
OTHERS: Final = {actors.PORTAL: "The portal", actors.OPERATOR: "The operator", actors.STRANGER: "A stranger"}


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Anything unknown narrows nothing. `first` and `last` are days in the reader's zone, both counted in."""

    workflow: str = ""
    topic: str = ""
    actor: str = ""
    first: date | None = None
    last: date | None = None

    @classmethod
    def read(cls, query: Mapping[str, str], choices: Collection[Workflow]) -> "Narrowing":
        """What an address narrows to, of the workflows in `choices`."""
        workflow, topic, actor = query.get("workflow", ""), query.get("topic", ""), query.get("actor", "")
        return cls(
            workflow=workflow if workflow in set(choices) else "",
            topic=topic if topic in TOPICS else "",
            actor=actor if _actor(actor) else "",
            first=_day(query.get("first", "")),
            last=_day(query.get("last", "")),
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether anything was chosen."""
        return self != Narrowing()

    @property
    def query(self) -> str:
        """The same in an address, with the question mark; empty without any."""
        values = urlencode(self.values)
        return f"?{values}" if values else ""

    @property
    def values(self) -> dict[str, str]:
        """What is set, by the names of the filter's fields."""
        named = {
            "workflow": self.workflow,
            "topic": self.topic,
            "actor": self.actor,
            "first": self.first.isoformat() if self.first else "",
            "last": self.last.isoformat() if self.last else "",
        }
        return {name: value for name, value in named.items() if value}

    def apply(self, events: QuerySet[AuditEvent], organization_id: int) -> QuerySet[AuditEvent]:
        """Those of `events`, which are of that Organization, that meet all that was chosen."""
        if self.workflow:
            events = events.filter(workflow=self.workflow)
        if self.topic:
            events = events.filter(kind__in=kinds_of(self.topic))
        actor = _actor(self.actor)
        if actor:
            kind, pk = actor
            events = events.filter(actor_kind=kind) if pk is None else events.filter(actor_kind=kind, actor_id=pk)
        since = _midnight(self.first) if self.first else None
        until = _midnight(self.last + timedelta(days=1)) if self.last else None
        return _between(events, organization_id, since, until)


def views_of(member: "Member") -> set[tuple[Workflow, int | None]]:
    """The workflows that `member` may View, each for one Account or, with None, for all."""
    return {(workflow, account_id) for workflow, _, account_id in granted(member)}


def events_for(member: "Member") -> QuerySet[AuditEvent]:
    """All that `member` may read (security AU-7)."""
    return readable(member.organization_id, views_of(member))


def choices_of(member: "Member") -> list[Workflow]:
    """The workflows between which `member` may choose."""
    views = {workflow for workflow, _ in views_of(member)}
    return [workflow for workflow in Workflow if workflow in views]


def actors_for(member: "Member") -> list[tuple[str, str]]:
    """Whoever did something that `member` may read, as values of the filter: one look into an index for each."""
    events, organization = events_for(member).select_related(None).values("pk"), member.organization

    def did(kind: str) -> Subquery:
        # One row of each is asked for: an EXISTS becomes a join over the whole history. And of each as of a stretch of
        # numbers, in their order: nothing but the index by actor gives that, whatever the planner expects to find.
        one = OuterRef("pk")
        mine = events.filter(actor_kind=kind, actor_id__gte=one, actor_id__lte=one)
        return Subquery(mine.order_by("actor_id", "-id")[:1])

    # Not `exclude(any=None)`: where there can be nothing to read, that leaves everybody.
    people = organization.members.alias(any=did(actors.MEMBER)).filter(any__isnull=False).order_by("user__name", "pk")
    bots = (
        organization.service_users.alias(any=did(actors.SERVICE_USER)).filter(any__isnull=False).order_by("name", "pk")
    )
    return [
        *((f"{actors.MEMBER}-{pk}", name) for pk, name in people.values_list("pk", "user__name")[:MOST_ACTORS]),
        *((f"{actors.SERVICE_USER}-{pk}", name) for pk, name in bots.values_list("pk", "name")[:MOST_ACTORS]),
        *(OTHERS.items() if choices_of(member) else ()),
    ]


def _between(
    events: QuerySet[AuditEvent], organization_id: int, since: datetime | None, until: datetime | None
) -> QuerySet[AuditEvent]:
    """Those from `since` on and before `until`.

    Every list here is read by id, newest first: told the time alone, the database would walk from the newest event of
    all to the first that fits. So where these ids lie is looked up in the index by time: after the last event that is
    CLOCKS_DIFFER older, before the first that is as much younger.
    """
    rows = AuditEvent.objects.filter(organization_id=organization_id).values("pk")
    if since:
        before = rows.filter(at__lt=since - CLOCKS_DIFFER).order_by("-at")[:1]
        events = events.filter(at__gte=since, pk__gt=Coalesce(Subquery(before), 0))
    if until:
        after = rows.filter(at__gte=until + CLOCKS_DIFFER).order_by("at")[:1]
        events = events.filter(at__lt=until, pk__lt=Coalesce(Subquery(after), BigIntegerField.MAX_BIGINT))
    return events


def _actor(text: str) -> tuple[str, int | None] | None:
    if text in OTHERS:
        return text, None
    kind, _, pk = text.partition("-")
    if kind in {actors.MEMBER, actors.SERVICE_USER} and pk.isascii() and pk.isdigit() and len(pk) <= LONGEST_NUMBER:
        return kind, int(pk)
    return None


def _day(text: str) -> date | None:
    """A day as a date field posts it, in a year in which money has moved and one can reckon to the next."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2200 else None


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
