"""Who, what, how much, where to: what happens? Answered as a real request would be, and nothing is written."""

from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from policies import drafts
from policies import snapshot as gathering
from policies.access import allows, needs
from policies.forms.simulator import MOST_TOLD, Choices, SimulatorForm
from policies.freezes.places import Place, with_destination
from policies.measures import Named, measures
from policies.models import Replay
from policies.rule_words import Names, names_of
from policies.rules import Facts, Terms, frozen_by, policy_of
from policies.rules.language import Rule
from policies.simulator.answers import WITHDRAWAL, Answer, answer
from policies.workflows import Right, Workflow
from portal.core.errors import DomainError
from portal.core.web.http import MemberRequest

SHOWN_REPLAYS: Final = 5
# For who may not look into that Account.
FROZEN: Final = "It is frozen there now. Nothing is asked, approved or carried out meanwhile."


@dataclass(frozen=True, slots=True)
class Said:
    """What is shown: `frozen` says why nothing goes out there now, and is empty where nothing is frozen."""

    answer: Answer
    frozen: str
    shows_sums: bool


@require_safe
@needs(Workflow.MANAGE_POLICIES, Right.VIEW)
def simulate(request: MemberRequest) -> HttpResponse:
    """What the policy in force, or the reader's draft, says of a withdrawal."""
    facts = gathering.gather(request.organization, bots=True)
    draft = draft_of(request)
    form = SimulatorForm(
        request.GET if "amount" in request.GET else None,
        initial={"who": request.GET.get("who", "")},
        choices=_choices(request, facts, has_draft=draft is not None),
    )
    names = names_of(request.organization, facts)
    context = {
        "form": form,
        "said": _say(request, form, facts, draft, names) if form.is_valid() else None,
        "draft": draft,
        "replays": Replay.objects.of(request.member).defer("result", "found").order_by("-pk")[:SHOWN_REPLAYS],
        "may_draft": allows(request.member, Workflow.MANAGE_POLICIES, Right.INITIATE),
    }
    return render(request, "policies/simulator/simulate.html", context)


def draft_of(request: MemberRequest) -> tuple[Rule, ...] | None:
    """The rules of the reader's own draft about withdrawals; None without one that says anything."""
    found = drafts.find(request.member, WITHDRAWAL)
    return (drafts.rules_of(found) or None) if found is not None else None


def _say(
    request: MemberRequest, form: SimulatorForm, facts: Facts, draft: tuple[Rule, ...] | None, names: Names
) -> Said | None:
    """None where there is something to say on the form."""
    what = form.foreseen()
    try:
        terms = policy_of(facts.policies, WITHDRAWAL)
        if form.by_draft and draft:
            terms = Terms(WITHDRAWAL.value, 1, always=True, open_hours=1, rules=draft)
        said = answer(request.organization, facts, terms, what, form.initiator, names)
        frozen = _frozen(request, facts, what.account_id, form.cleaned_data["to"])
    except DomainError as error:
        form.refuse(error)
        return None
    return Said(said, frozen, shows_sums=_sees_all_that_leaves(request, facts))


def _frozen(request: MemberRequest, facts: Facts, account_id: int, name: str) -> str:
    place = Place(WITHDRAWAL, account_id, account=facts.accounts[account_id])
    place = with_destination(place, name) if name and facts.freezes else place
    found = frozen_by(facts.freezes, WITHDRAWAL, account_id, place.destination)
    if found is None:
        return ""
    return found.words if allows(request.member, WITHDRAWAL, Right.VIEW, account_id) else FROZEN


def _choices(request: MemberRequest, facts: Facts, *, has_draft: bool) -> Choices:
    told = measures().destinations(request.organization)
    return Choices(
        facts=facts,
        assets=measures().assets(request.organization),
        destinations=[each for each in told if _knows_of(request, each)],
        has_draft=has_draft,
        has_more=len(told) >= MOST_TOLD,
    )


def _knows_of(request: MemberRequest, destination: Named) -> bool:
    """Whether the reader may look into the book that it is in."""
    workflows = (Workflow.MANAGE_ADDRESSES, WITHDRAWAL)
    return any(allows(request.member, each, Right.VIEW, destination.account_id) for each in workflows)


def _sees_all_that_leaves(request: MemberRequest, facts: Facts) -> bool:
    """Sums tell how much has left, of every Account."""
    return all(allows(request.member, WITHDRAWAL, Right.VIEW, account_id) for account_id in facts.accounts)
