"""The four workflows side by side: what each asks for, where it stands, and who could agree to what."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from policies import snapshot as gathering
from policies.access import allows, needs
from policies.approvers_by_asker import answers, choices
from policies.freezes.places import right_there
from policies.models import ChangeRequest
from policies.rehearsals.standing import of_every_workflow
from policies.rule_words import AmountLine, amount_lines, names_of
from policies.rules import Facts
from policies.rules.stages import STAGES, Stage, meaning_for
from policies.stage_guide import Outlook, outlook
from policies.workflows import Right, Workflow
from portal.core.errors import Refused
from portal.core.web.http import MemberRequest

NEXT: Final = {
    Stage.BOOTSTRAP: "Nothing is asked yet. Begin with one approval.",
    Stage.CONFIGURED: "Turn on Always require approval to enforce it.",
    Stage.ENFORCED: "Rehearse it, then lock it, so that only others’ approval changes it.",
    Stage.LOCKED: "",
}


@dataclass(frozen=True, slots=True)
class Track:
    """One stage of the track: reached before, reached now, or still ahead."""

    label: str
    css: str


@dataclass(frozen=True, slots=True)
class Holders:
    """Who holds one right on a workflow, by name."""

    label: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Article:
    """One workflow on the page. `outlook` is None when its policy cannot be read, and `trouble` says so."""

    workflow: Workflow
    outlook: Outlook | None
    trouble: str
    track: tuple[Track, ...]
    meaning: str
    advice: str
    holders: tuple[Holders, ...]
    waiting: tuple[ChangeRequest, ...]


@require_safe
@needs(Workflow.MANAGE_POLICIES, Right.VIEW)
def policies(request: MemberRequest) -> HttpResponse:
    """Who must agree to what, how strong that is, and who could approve if a chosen member or bot asked."""
    facts = gathering.gather(request.organization, bots=True)
    waiting = _waiting(request)
    articles = [_article(workflow, facts, waiting) for workflow in Workflow]
    offered = choices(facts)
    wanted = request.GET.get("who", "")
    asker = next((choice for choice in offered if choice.value == wanted), offered[0] if offered else None)
    context = {
        "articles": articles,
        "weak": [article for article in articles if article.outlook and article.outlook.is_weak],
        "choices": offered,
        "asker": asker,
        "answers": answers(facts, asker.value, request.member.user_id) if asker else (),
        "may_ask": allows(request.member, Workflow.MANAGE_POLICIES, Right.INITIATE),
        "amounts": _amounts(request, facts, articles),
        **of_every_workflow(request.member, facts),
        "freezable": {one for one in Workflow if right_there(request.member, Right.INITIATE, one, None)},
        "sees_groups": allows(request.member, Workflow.MANAGE_ACCESS, Right.VIEW),
    }
    return render(request, "policies/policies.html", context)


def _amounts(request: MemberRequest, facts: Facts, articles: list[Article]) -> tuple[AmountLine, ...]:
    """How many people a withdrawal takes by its amount, where its policy is a set of rules."""
    rows = [row for article in articles if article.outlook for row in article.outlook.rows]
    return amount_lines(rows, names_of(request.organization, facts)) if rows else ()


def _waiting(request: MemberRequest) -> Mapping[str, tuple[ChangeRequest, ...]]:
    """What waits about each policy, by workflow."""
    found: dict[str, tuple[ChangeRequest, ...]] = {}
    rows = ChangeRequest.objects.of(request.organization).waiting().filter(workflow=Workflow.MANAGE_POLICIES)
    for change in rows.order_by("expires_at")[:100]:
        found[change.subject] = (*found.get(change.subject, ()), change)
    return found


def _article(workflow: Workflow, facts: Facts, waiting: Mapping[str, tuple[ChangeRequest, ...]]) -> Article:
    holders, waits = _holders(workflow, facts), waiting.get(workflow.value, ())
    try:
        stands = outlook(facts, workflow)
    except Refused as error:
        return Article(workflow, None, error.message, (), "", "", holders, waits)
    place = STAGES.index(stands.stage)
    track = tuple(
        Track(name.capitalize(), "is-now") if step == place else Track("", "is-past" if step < place else "")
        for step, name in enumerate(STAGES)
    )
    policy = stands.policy
    says = (
        meaning_for(workflow, policy.approvals, always=policy.always, rules=policy.rules or ())
        if policy
        else meaning_for(workflow, None, always=False)
    )
    return Article(workflow, stands, "", track, says, NEXT[stands.stage], holders, waits)


def _holders(workflow: Workflow, facts: Facts) -> tuple[Holders, ...]:
    active = [person for person in facts.people if person.is_active]
    found = [
        Holders(label, tuple(person.name for person in active if person.holds(workflow, right)))
        for label, right in (("May ask", Right.INITIATE), ("May approve", Right.APPROVE), ("Execute", Right.EXECUTE))
    ]
    if workflow is Workflow.INITIATE_WITHDRAWAL:
        found.append(Holders("Keys that may withdraw", tuple(bot.name for bot in facts.bots if bot.may_withdraw)))
    return tuple(found)
