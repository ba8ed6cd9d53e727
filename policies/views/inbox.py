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
from policies.models import ChangeRequest
from policies.views.board import board
from policies.views.rows import days, rows
from policies.workflows import Workflow
from portal.core.display.phrases import counted
from portal.core.paging import MOST_COUNTED, Page, capped, keyset
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
    page: Page[ChangeRequest] = keyset(chosen.rows(member), after=request.GET.get("after"), order=chosen.order)
    waiting = finding.waiting_by_workflow(member)
    views = {workflow for workflow, _, _ in granted(member)}
    also: list[ChangeRequest] = []
    if chosen == Listing() and not request.GET.get("after"):
        rest = finding.viewable(member).exclude(pk__in=finding.waiting_for(member).values("pk"))
        also = list(rest.order_by("expires_at", "id")[:ALSO_OPEN])
    # Found along an index first, then looked at with all around them: joined at once, all would be sorted for a page.
    found = [change.pk for change in page.rows + also]
    parties = ChangeRequest.objects.of(request.organization).with_parties().in_bulk(found)
    facts = gathering.gather(request.organization, parties.values())
    shown = rows(request, [parties[pk] for pk in found], facts)
    here, elsewhere = shown[: len(page.rows)], shown[len(page.rows) :]
    context = {
        "heading": _heading(sum(waiting.values())),
        "first": finding.waiting_for(member).order_by("expires_at").values_list("expires_at", flat=True).first(),
        "sees_policies": Workflow.MANAGE_POLICIES in views,
        "board": board(views, facts.policies, waiting),
        "tabs": _tabs(request, chosen.tab, sum(waiting.values())),
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


def _tabs(request: MemberRequest, current: str, waiting: int) -> list[Tab]:
    counts = {
        "waiting": waiting,
        "asked": capped(finding.asked_by(request.member).open()),
        "viewable": capped(finding.viewable(request.member)),
    }
    return [Tab(key, label, counts.get(key), key == current) for key, label in filters.TABS.items()]
