"""The rules in force, each with what it matched, and the reader's draft beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from policies import drafts
from policies import snapshot as gathering
from policies.access import allows, needs
from policies.forms.rules.draft import OpenHoursForm
from policies.inbox import queues
from policies.models.policy import DEFAULT_OPEN_HOURS
from policies.replay.matches import Matches, matches
from policies.rule_words.effects import effects
from policies.rules.language import Rule
from policies.rules.language.validity import MAX_RULES
from policies.views.configure import workflow_of
from policies.views.rows import rows, shown_to
from policies.views.rules.standing import Line, Standing
from policies.workflows import Right, Workflow
from portal.core.paging import keyset
from portal.core.web.http import MemberRequest


@dataclass(frozen=True, slots=True)
class Counted:
    """A rule in force, and how many requests it matched; None where rules have no conditions."""

    line: Line
    matched: int | None


@require_safe
@needs(Workflow.MANAGE_POLICIES, Right.VIEW)
def rules(request: MemberRequest, workflow: str) -> HttpResponse:
    """What is asked now, rule by rule, and beside it what the reader is still writing."""
    subject = workflow_of(workflow)
    stands = Standing(request, subject)
    found = _matches(stands)
    draft = stands.drafted
    context = {
        "workflow": subject,
        "stands": stands,
        "in_force": _counted(stands.lines(stands.in_force), found),
        "matches": found,
        "effects": effects((), stands.in_force, stands.names) if stands.in_force else None,
        "draft": stands.lines(draft) if draft is not None else None,
        "hours": OpenHoursForm(initial={"open_hours": _hours(stands)}),
        "has_room": draft is None or len(draft) < MAX_RULES,
        "may_ask": allows(request.member, Workflow.MANAGE_POLICIES, Right.INITIATE),
    }
    return render(request, "policies/rules.html", context)


@require_safe
@needs(Workflow.MANAGE_POLICIES, Right.VIEW)
def matching(request: MemberRequest, workflow: str, key: str) -> HttpResponse:
    """The requests that one rule in force matched, as far as the reader may view them."""
    subject = workflow_of(workflow)
    stands = Standing(request, subject)
    place = next((place for place, rule in enumerate(stands.in_force) if drafts.key_of(rule) == key), None)
    found = _matches(stands)
    if place is None or found is None:
        raise Http404("No rule in force says this.")
    asked = queues.visible(request.member).filter(pk__in=found.found[place])
    page = keyset(asked, after=request.GET.get("after"), order=("-id",), shown=shown_to(request.member))
    facts = gathering.gather(request.organization, page.rows)
    context = {
        "workflow": subject,
        "line": stands.lines(stands.in_force)[place],
        "matched": len(found.found[place]),
        "matches": found,
        "rows": rows(request, page.rows, facts),
        "page": page,
    }
    return render(request, "policies/matching.html", context)


def _matches(stands: Standing) -> Matches | None:
    in_force: tuple[Rule, ...] = stands.in_force
    if not stands.is_by_amount or not in_force:
        return None
    return matches(stands.request.organization, in_force, timezone.now())


def _counted(lines: Sequence[Line], found: Matches | None) -> list[Counted]:
    return [Counted(line, len(found.found[place]) if found is not None else None) for place, line in enumerate(lines)]


def _hours(stands: Standing) -> int:
    if stands.draft is not None:
        return stands.draft.open_hours
    return stands.terms.open_hours if stands.terms else DEFAULT_OPEN_HOURS
