"""One's draft held against what is in force, and the one button that asks for it."""

from functools import partial

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from policies import drafts
from policies import snapshot as gathering
from policies.access import needs
from policies.changes import propose
from policies.forecast import forecast
from policies.forms.rules.draft import ReviewForm
from policies.models import ChangeRequest
from policies.operations import configure_policy
from policies.operations.asked_rules import unfit
from policies.rule_words.effects import effects
from policies.rules.binding_changes import least_to_configure
from policies.rules.language import Rule
from policies.views.asking import answer_to
from policies.views.configure import next_page, workflow_of
from policies.views.rules.standing import Line, Standing
from policies.workflows import Right, Workflow
from portal.core.web.http import MemberRequest


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Workflow.MANAGE_POLICIES, Right.INITIATE)
def review(request: MemberRequest, workflow: str) -> HttpResponse:
    """Say what the draft would change, case by case, then ask for it. Once it is asked the draft is gone."""
    subject = workflow_of(workflow)
    stands = Standing(request, subject, bots=True)
    draft, rules = stands.draft, stands.drafted
    if draft is None or not rules:
        messages.error(request, "There is nothing to ask for: write a rule first.")
        return redirect("policies:rules", workflow=workflow)
    form = ReviewForm(
        request.POST if request.method == "POST" else None,
        step_up=request.step_up,
        workflow=subject,
        facts=stands.facts,
        draft=draft,
        rules=rules,
        stands=None if stands.is_unreadable else stands.terms,
    )
    answer = answer_to(request, form, partial(_ask, request, form, subject), done=partial(next_page, request))
    return answer or render(request, "policies/review.html", _context(request, stands, form, rules))


def _context(request: MemberRequest, stands: Standing, form: ReviewForm, rules: tuple[Rule, ...]) -> dict[str, object]:
    terms, asker = form.terms(), gathering.initiator(stands.facts, request.member)
    found = effects(stands.in_force, rules, stands.names)
    return {
        "workflow": stands.workflow,
        "stands": stands,
        "form": form,
        "before": _beside(stands.lines(stands.in_force), stands.lines(rules)),
        "after": _beside(stands.lines(rules), stands.lines(stands.in_force)),
        "effects": found,
        "hours": form.draft.open_hours,
        "trouble": unfit(request.organization, stands.workflow, rules, standing=stands.in_force),
        "forecast": forecast(
            request.member,
            Workflow.MANAGE_POLICIES,
            facts=stands.facts,
            protected=terms.is_locked,
            least=least_to_configure(stands.facts, terms, asker) if form.effect is not None else 0,
        ),
    }


def _beside(lines: list[Line], others: list[Line]) -> list[tuple[Line, bool]]:
    """Each rule, and whether the other side has it too."""
    there = {line.key for line in others}
    return [(line, line.key in there) for line in lines]


def _ask(request: MemberRequest, form: ReviewForm, workflow: Workflow) -> ChangeRequest:
    """Ask first: what is refused leaves the draft as it is."""
    change = propose(configure_policy, actor=request.member, params=form.params(), note=form.cleaned_data["note"])
    drafts.discard(request.member, workflow)
    return change
