"""The people of an Organization, and what they may do."""

from collections import defaultdict
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Member
from policies.access import needs
from policies.models import Grant
from policies.workflows import Right, Workflow
from portal.core.http import MemberRequest
from portal.core.markup import Level
from portal.core.paging import keyset


@dataclass(frozen=True, slots=True)
class Row:
    """One member of the list; `rights` says workflow by workflow what they hold."""

    member: Member
    is_you: bool
    state: str
    level: Level
    rights: tuple[str, ...]


@require_safe
@needs(Workflow.MANAGE_ACCESS, Right.VIEW)
def members(request: MemberRequest) -> HttpResponse:
    """Who is in the Organization. Read only."""
    people = Member.objects.of(request.organization).select_related("user")
    page = keyset(people, after=request.GET.get("after"), order=("id",))
    held = _rights([member.pk for member in page.rows])
    rows = [
        Row(member, member.pk == request.member.pk, *_state(member), rights=in_words(held[member.pk]))
        for member in page.rows
    ]
    return render(request, "accounts/members.html", {"rows": rows, "page": page})


def in_words(held: set[tuple[str, str, str]]) -> tuple[str, ...]:
    """Rights (workflow, right, account or nothing) as a reader takes them in: the same everywhere is said once."""
    by_workflow = {
        workflow: tuple(
            f"{right.title} on {account}" if account else right.title
            for right in Right
            for account in sorted(a for w, r, a in held if w == workflow and r == right)
        )
        for workflow in Workflow
    }
    different = set(by_workflow.values())
    if different == {()}:
        return ()
    if len(different) == 1:
        (same,) = different
        return (f"{'All rights' if len(same) == len(Right) else ', '.join(same)} everywhere",)
    return tuple(f"{workflow.title}: {', '.join(rights)}" for workflow, rights in by_workflow.items() if rights)


def _rights(member_ids: list[int]) -> dict[int, set[tuple[str, str, str]]]:
    held: dict[int, set[tuple[str, str, str]]] = defaultdict(set)
    grants = Grant.objects.filter(member_id__in=member_ids)
    for member_id, workflow, right, account in grants.values_list("member_id", "workflow", "right", "account__name"):
        held[member_id].add((workflow, right, account or ""))
    return held


def _state(member: Member) -> tuple[str, Level]:
    if member.removed_at is not None:
        return "Removed", "void"
    if member.suspended_at is not None or not member.user.is_active:
        return "Suspended", "stop"
    return ("Active", "done") if member.is_verified else ("Not verified", "wait")
