"""One list of the inbox as its reader chose it: which tab, narrowed to what, and what stands beside a request there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.http import urlencode

from policies.inbox import queues
from policies.models import ChangeRequest
from policies.models.change import ChangeQuerySet
from policies.workflows import Workflow
from portal.core.database.rows import Rows
from portal.core.paging import neighbours

if TYPE_CHECKING:
    from accounts.models import Member

WAITING: Final = "waiting"
ASKED: Final = "asked"
VIEWABLE: Final = "viewable"
TABS: Final = {
    WAITING: "Waiting for me",
    ASKED: "Asked by me",
    VIEWABLE: "All I may view",
    "done": "Done",
}
SOURCES: "Final[dict[str, Callable[[Member], ChangeQuerySet]]]" = {
    WAITING: queues.waiting_for,
    ASKED: queues.asked_by,
    VIEWABLE: queues.viewable,
    "done": queues.done,
}
# Where time presses, what closes first stands first.
BY_EXPIRY: Final = ("expires_at", "id")
NEWEST: Final = ("-id",)
PRESSING: Final = frozenset({WAITING, VIEWABLE})
ABOUT_LENGTH: Final = 100
LONGEST_NUMBER: Final = 18
MOST_INITIATORS: Final = 100


@dataclass(frozen=True, slots=True)
class Listing:
    """What the reader narrowed a tab to; anything unknown narrows nothing (security IN-3)."""

    tab: str = WAITING
    workflow: str = ""
    initiator: str = ""
    about: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Listing":
        """The list that an address names."""
        tab, workflow = query.get("tab", ""), query.get("workflow", "")
        initiator = query.get("initiator", "")
        return cls(
            tab=tab if tab in TABS else WAITING,
            workflow=workflow if workflow in set(Workflow) else "",
            initiator=initiator if _initiator(initiator) else "",
            about=query.get("about", "").replace("\0", "").strip()[:ABOUT_LENGTH],
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the tab was chosen."""
        return bool(self.workflow or self.initiator or self.about)

    @property
    def is_waiting(self) -> bool:
        """Whether this is the list of what the reader can decide."""
        return self.tab == WAITING

    @property
    def are_yours(self) -> bool | None:
        """Whether all that is listed waits for the reader, or none of it does; None where some may."""
        return self.is_waiting if self.tab != VIEWABLE else None

    @property
    def is_pressing(self) -> bool:
        """Whether what closes first stands first."""
        return self.tab in PRESSING

    @property
    def order(self) -> tuple[str, ...]:
        """By what expires first where that presses, else the newest first."""
        return BY_EXPIRY if self.is_pressing else NEWEST

    @property
    def query(self) -> str:
        """The same list in an address: with the question mark, and without what says nothing."""
        chosen = {"tab": self.tab, "workflow": self.workflow, "initiator": self.initiator, "about": self.about}
        return "?" + urlencode({name: value for name, value in chosen.items() if value})

    def source(self, member: "Member") -> ChangeQuerySet:
        """All of the tab."""
        return SOURCES[self.tab](member)

    def rows(self, member: "Member") -> ChangeQuerySet:
        """What is left of the tab."""
        rows = self.source(member)
        if self.workflow:
            rows = rows.filter(workflow=self.workflow)
        found = _initiator(self.initiator)
        if found:
            rows = rows.filter(**{found[0]: found[1]})
        if self.about:
            about = Q(title__icontains=self.about)
            if _is_number(self.about):
                about |= Q(number=int(self.about))
            rows = rows.filter(about)
        return rows

    def beside(self, change: ChangeRequest, member: "Member") -> tuple[ChangeQuerySet, ChangeQuerySet]:
        """What stands before and after the place of `change`, the nearest first; it need not be there any more."""
        before, after = neighbours(self.rows(member), change, order=self.order)
        return cast("ChangeQuerySet", before), cast("ChangeQuerySet", after)


def initiators(listing: Listing, member: "Member") -> list[tuple[str, str]]:
    """Whoever asked for anything in the tab, as values of the filter: one look into an index for each, in one query."""
    source, organization = listing.source(member), member.organization
    if listing.tab == ASKED:
        myself = _having(organization.members.filter(pk=member.pk), source, "member")
        return [_offered("member", pk, member.label) for (pk,) in myself.values_list("pk")]
    if listing.is_pressing:
        return _of_open(source)
    members = _having(organization.members.all(), source, "member")
    bots = _having(organization.service_users.all(), source, "service_user")
    found: Mapping[str, Any] = (
        type(organization)
        .objects.filter(pk=organization.pk)
        .values(
            people=Rows(members.order_by("user__name", "pk")[:MOST_INITIATORS], "user__name", "pk"),
            programs=Rows(bots.order_by("name", "pk")[:MOST_INITIATORS], "name", "pk"),
        )
        .get()
    )
    return [
        *(_offered("member", pk, name) for name, pk in sorted(found["people"])),
        *(_offered("service_user", pk, name) for name, pk in sorted(found["programs"])),
    ]


def _of_open(source: ChangeQuerySet) -> list[tuple[str, str]]:
    """From the requests themselves, of which there are few: each may ask for so many at a time."""
    rows = source.order_by().values_list("member", "member__user__name", "service_user", "service_user__name")
    found: list[tuple[Any, ...]] = list(rows.distinct()[: 2 * MOST_INITIATORS])
    members = sorted((name, pk) for pk, name, _, _ in found if pk is not None)
    bots = sorted((name, pk) for _, _, pk, name in found if pk is not None)
    return [
        *(_offered("member", pk, name) for name, pk in members[:MOST_INITIATORS]),
        *(_offered("service_user", pk, name) for name, pk in bots[:MOST_INITIATORS]),
    ]


def _having(askers: "QuerySet[Any]", source: ChangeQuerySet, column: str) -> "QuerySet[Any]":
    """Those of `askers` of whom `source` has any request.

    One row of each is asked for, by its state, in which the index by who asked has them: an EXISTS becomes a join over
    the whole table.
    """
    theirs = source.filter(**{column: OuterRef("pk")}).order_by("state").values("pk")
    # Not `exclude(any=None)`: of a tab in which there can be nothing, that leaves everybody.
    found: QuerySet[Any] = askers.alias(any=Subquery(theirs[:1]))
    return found.filter(any__isnull=False)


def _offered(kind: str, pk: int, label: str) -> tuple[str, str]:
    return f"{kind}-{pk}", label


def _initiator(text: str) -> tuple[str, int] | None:
    kind, _, pk = text.partition("-")
    if kind in {"member", "service_user"} and _is_number(pk):
        return f"{kind}_id", int(pk)
    return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER
