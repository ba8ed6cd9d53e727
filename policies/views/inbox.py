"""What waits for me, what I asked, what I may view, what is done."""

from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from policies import snapshot as gathering
from policies.access import granted, open_to_members
from policies.inbox import filters
from policies.inbox import queues as finding
from policies.inbox.filters import Listing
from policies.inbox.queues import Overview
from policies.models import ChangeRequest
from policies.views.board import board
from policies.views.rows import days, rows, shown_to
from policies.workflows import Workflow
from portal.core.display.phrases import counted
from portal.core.paging import MOST_COUNTED, Page, beginning, keyset
from portal.core.web.http import MemberRequest

ALSO_OPEN: Final = 5


@dataclass(frozen=True, slots=True)
class Tab:
    """One list. Its count, if it has one, goes no further than MOST_COUNTED."""

    key: str
    label: str
    count: int | None
    is_current: bool


@require_safe
@open_to_members("it lists what the reader may decide, asked for or may view")
def inbox(request: MemberRequest) -> HttpResponse:
    """The requests of one tab, filtered, in pages."""
    member = request.member
    chosen = Listing.read(request.GET)
    page: Page[ChangeRequest] = keyset(
        chosen.rows(member),
        after=request.GET.get("after"),
        order=chosen.order,
        shown=shown_to(member, yours=chosen.are_yours),
    )
    also: list[ChangeRequest] = []
    if chosen == Listing() and not request.GET.get("after"):
        rest = finding.not_waiting_for(member)
        also = list(beginning(rest, ALSO_OPEN, order=filters.BY_EXPIRY, shown=shown_to(member, yours=False)))
    told = finding.overview(member)
    views = {workflow for workflow, _, _ in granted(member)}
    facts = gathering.gather(request.organization, page.rows + also)
    shown = rows(request, page.rows + also, facts)
    here, elsewhere = shown[: len(page.rows)], shown[len(page.rows) :]
    context = {
        "heading": _heading(told.waiting),
        "first": told.first_closes_at,
        "sees_policies": Workflow.MANAGE_POLICIES in views,
        "board": board(views, facts.policies, told.by_workflow),
        "tabs": _tabs(chosen.tab, told),
        "days": days(here, pressing=chosen.is_pressing),
        "chooses": chosen.is_waiting and bool(here),
        "also": elsewhere,
        "page": page,
        "chosen": chosen,
        "workflows": list(Workflow),
        "initiators": filters.initiators(chosen, member),
    }
    return render(request, "policies/inbox.html", context)


@require_safe
@open_to_members("it counts what the reader may decide")
def inbox_count(request: MemberRequest) -> HttpResponse:
    """How many wait, for the rail to refresh. The middleware knows that nobody is at the keyboard for this."""
    return render(request, "components/_count.html")


def _heading(waiting: int) -> str:
    if waiting == 0:
        return "Nothing waits for you"
    if waiting == 1:
        return "1 request waits for you"
    if waiting > MOST_COUNTED:
        return f"More than {MOST_COUNTED} requests wait for you"
    return f"{counted(waiting, 'request')} wait for you"


def _tabs(current: str, told: Overview) -> list[Tab]:
    counts = {"waiting": told.waiting, "asked": told.asked, "viewable": told.viewable}
    return [Tab(key, label, counts.get(key), key == current) for key, label in filters.TABS.items()]
