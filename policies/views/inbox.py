"""What waits for me, what I asked, what I may view, what is done."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from policies import facts as gathering
from policies import inbox as finding
from policies.access import allows, granted, open_to_members
from policies.models import ChangeRequest, Decision
from policies.models.change import ChangeQuerySet
from policies.operations import stage
from policies.rules import Facts, Terms, policy_of
from policies.standing import progress
from policies.workflows import Right, Workflow
from portal.core.errors import Refused
from portal.core.http import MemberRequest
from portal.core.paging import Page, keyset

TABS: Final = {
    "waiting": "Waiting for me",
    "asked": "Asked by me",
    "viewable": "All I may view",
    "done": "Done",
}
SOURCES: Final = {
    "waiting": finding.waiting_for,
    "asked": finding.asked_by,
    "viewable": finding.viewable,
    "done": finding.done,
}
# Where time presses, what closes first stands first.
ORDERS: Final = {"waiting": ("expires_at", "id"), "viewable": ("expires_at", "id")}
NEWEST: Final = ("-id",)
BOARD: Final = {
    Workflow.MANAGE_ACCESS: "Access",
    Workflow.MANAGE_POLICIES: "Policies",
    Workflow.MANAGE_ADDRESSES: "Addresses",
    Workflow.INITIATE_WITHDRAWAL: "Withdrawals",
}
STAGES: Final = ("bootstrap", "configured", "enforced")
ALSO_OPEN: Final = 5
MOST_INITIATORS: Final = 100
MOST_COUNTED: Final = 100
NUMBERS: Final = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
ABOUT_LENGTH: Final = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One request in a list."""

    change: ChangeRequest
    given: int
    needed: int
    is_yours: bool
    is_own: bool


@dataclass(frozen=True, slots=True)
class Day:
    title: str
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Tab:
    key: str
    label: str
    count: int | None
    is_current: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """One stage of a track, by its place in the drawing."""

    css: str
    x: int


@dataclass(frozen=True, slots=True)
class Instrument:
    """Where one workflow stands, and how much of it waits for the reader. `place` counts the stages from nought."""

    label: str
    stage: str
    place: int
    note: str
    waiting: int

    @property
    def track(self) -> list[Piece]:
        steps = range(len(STAGES))
        looks = ["now" if step == self.place else "past" if step < self.place else "rest" for step in steps]
        return [Piece(look, 26 * step) for step, look in enumerate(looks)]


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader narrowed the list to; anything unknown narrows nothing."""

    workflow: str
    initiator: str
    about: str

    @property
    def are_set(self) -> bool:
        return bool(self.workflow or self.initiator or self.about)

    def apply(self, rows: ChangeQuerySet) -> ChangeQuerySet:
        if self.workflow:
            rows = rows.filter(workflow=self.workflow)
        kind, _, pk = self.initiator.partition("-")
        if kind in {"member", "service_user"} and pk.isascii() and pk.isdigit() and len(pk) < 18:
            rows = rows.filter(**{f"{kind}_id": int(pk)})
        if self.about:
            about = Q(title__icontains=self.about)
            if self.about.isascii() and self.about.isdigit() and len(self.about) < 18:
                about |= Q(number=int(self.about))
            rows = rows.filter(about)
        return rows


@require_safe
@open_to_members("it lists what the reader may decide, asked for or may view")
def inbox(request: MemberRequest) -> HttpResponse:
    """The requests of one tab, filtered, in pages."""
    member = request.member
    tab = request.GET.get("tab", "")
    tab = tab if tab in TABS else "waiting"
    chosen = _filters(request)
    source = SOURCES[tab](member)
    page: Page[ChangeRequest] = keyset(
        chosen.apply(source).with_parties(), after=request.GET.get("after"), order=ORDERS.get(tab, NEWEST)
    )
    facts = gathering.gather(request.organization)
    waiting = finding.waiting_by_workflow(member)
    also: list[ChangeRequest] = []
    if tab == "waiting" and not chosen.are_set and not request.GET.get("after"):
        rest = finding.viewable(member).exclude(pk__in=finding.waiting_for(member).values("pk"))
        also = list(rest.with_parties().order_by("expires_at", "id")[:ALSO_OPEN])
    rows = _rows(request, page.rows + also, facts)
    context = {
        "heading": _heading(sum(waiting.values())),
        "first": finding.waiting_for(member).order_by("expires_at").values_list("expires_at", flat=True).first(),
        "sees_policies": allows(member, Workflow.MANAGE_POLICIES, Right.VIEW),
        "board": _board(request, facts, waiting),
        "tabs": _tabs(request, tab, sum(waiting.values())),
        "tab": tab,
        "days": _days(rows[: len(page.rows)], tab),
        "also": rows[len(page.rows) :],
        "page": page,
        "chosen": chosen,
        "workflows": list(Workflow),
        "initiators": _initiators(source),
    }
    return render(request, "policies/inbox.html", context)


@require_safe
@open_to_members("it counts what the reader may decide")
def inbox_count(request: MemberRequest) -> HttpResponse:
    """How many wait, for the rail to refresh. The middleware knows that nobody is at the keyboard for this."""
    return render(request, "components/_count.html")


def _filters(request: MemberRequest) -> Filters:
    workflow = request.GET.get("workflow", "")
    return Filters(
        workflow=workflow if workflow in set(Workflow) else "",
        initiator=request.GET.get("initiator", "")[:40],
        about=request.GET.get("about", "").replace("\0", "").strip()[:ABOUT_LENGTH],
    )


def _heading(waiting: int) -> str:
    if waiting == 0:
        return "Nothing waits for you"
    if waiting == 1:
        return "One request waits for you"
    return f"{NUMBERS[waiting] if waiting < len(NUMBERS) else waiting} requests wait for you"


def _rows(request: MemberRequest, changes: list[ChangeRequest], facts: Facts) -> list[Row]:
    keys = [change.pk for change in changes]
    decisions = Decision.objects.filter(change__in=keys)
    counts = progress(changes, facts, decisions)
    yours = set(finding.waiting_for(request.member).filter(pk__in=keys).values_list("pk", flat=True))
    return [
        Row(change, *counts[change.pk], change.pk in yours, change.member_id == request.member.pk) for change in changes
    ]


def _days(rows: list[Row], tab: str) -> list[Day]:
    days: list[Day] = []
    for row in rows:
        title = _day(row.change.expires_at, "Closing") if tab in ORDERS else _day(row.change.created_at, "Asked")
        if not days or days[-1].title != title:
            days.append(Day(title, []))
        days[-1].rows.append(row)
    return days


def _day(at: datetime, verb: str) -> str:
    day, today = timezone.localdate(at), timezone.localdate()
    near = {today: "today", today + timedelta(days=1): "tomorrow", today - timedelta(days=1): "yesterday"}
    if day in near:
        return f"{verb} {near[day]}"
    year = "" if day.year == today.year else f" {day.year}"
    return f"{day:%A} {day.day} {day:%B}{year}"


def _tabs(request: MemberRequest, current: str, waiting: int) -> list[Tab]:
    counts = {
        "waiting": waiting,
        "asked": finding.asked_by(request.member).open()[:MOST_COUNTED].count(),
        "viewable": finding.viewable(request.member)[:MOST_COUNTED].count(),
    }
    return [Tab(key, label, counts.get(key), key == current) for key, label in TABS.items()]


def _board(request: MemberRequest, facts: Facts, waiting: dict[str, int]) -> list[Instrument]:
    """The workflows on which the reader holds any right (security AZ-7)."""
    views = {workflow for workflow, _, _ in granted(request.member)}
    return [
        _instrument(workflow, label, facts.policies, waiting.get(workflow, 0))
        for workflow, label in BOARD.items()
        if workflow in views
    ]


def _instrument(workflow: Workflow, label: str, policies: tuple[Terms, ...], waiting: int) -> Instrument:
    try:
        policy = policy_of(policies, workflow)
    except Refused:
        return Instrument(label, "unreadable", -1, "its policy cannot be read", waiting)
    if policy is None:
        return Instrument(label, STAGES[0], 0, "no policy", waiting)
    where = stage(policy.approvals, policy.always)
    count = "1 approval" if policy.approvals == 1 else f"{policy.approvals} approvals"
    return Instrument(
        label, where, STAGES.index(where), f"{count}, {'always' if policy.always else 'not always'}", waiting
    )


def _initiators(source: ChangeQuerySet) -> list[tuple[str, str]]:
    """Who asked for anything in this tab, as values of the filter."""
    rows = source.order_by("initiator_label").values_list("member_id", "service_user_id", "initiator_label").distinct()
    return [
        (f"member-{member_id}" if member_id else f"service_user-{service_user_id}", label)
        for member_id, service_user_id, label in rows[:MOST_INITIATORS]
    ]
