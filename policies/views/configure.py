"""Asking that a workflow takes so many approvals, or none any more; and the guided way to a locked policy."""

from functools import partial
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from policies import snapshot as gathering
from policies.access import needs
from policies.changes import propose
from policies.forecast import forecast
from policies.forms.policies import ConfigureForm, PlanForm, RemoveForm, single_rule
from policies.models import ChangeRequest, Policy
from policies.models.policy import MAX_APPROVALS
from policies.operations import configure_policy, remove_policy
from policies.operations.policy_words import freed_by_removal
from policies.rehearsals.standing import of_workflow
from policies.rules.binding_changes import least_to_configure
from policies.rules.language import NOTHING, Demand
from policies.rules.stages import STAGES, meaning_for, meaning_of
from policies.snapshot.stored_rules import read_rules
from policies.stage_guide import steps
from policies.views.asking import answer_to
from policies.workflows import Right, Workflow
from portal.core.errors import Refused
from portal.core.web.http import MemberRequest

NUMBERS: Final = frozenset(str(number) for number in range(1, MAX_APPROVALS + 1))


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Workflow.MANAGE_POLICIES, Right.INITIATE)
def configure(request: MemberRequest, workflow: str) -> HttpResponse:
    """Ask that a workflow takes so many approvals, with what that changes beside it."""
    subject = workflow_of(workflow)
    policy = policy_of_page(request, subject)
    if policy is not None and single_rule(policy) is None:
        return _to_its_rules(request, subject)
    data = request.POST if request.method == "POST" else None
    facts = gathering.gather(request.organization, bots=True)
    form = ConfigureForm(data, step_up=request.step_up, plan=request.GET, workflow=subject, policy=policy, facts=facts)
    answer = answer_to(
        request,
        form,
        lambda: propose(configure_policy, actor=request.member, params=form.params(), note=form.cleaned_data["note"]),
        done=partial(next_page, request),
    )
    if answer:
        return answer
    context = {
        "form": form,
        "workflow": subject,
        "policy": policy,
        "meaning": meaning_for(subject, policy.approvals if policy else None, always=bool(policy and policy.always)),
        "forecast": forecast(
            request.member,
            Workflow.MANAGE_POLICIES,
            facts=facts,
            protected=policy is not None and policy.is_locked,
            least=_least(request, form),
        ),
    }
    return render(request, "policies/configure.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Workflow.MANAGE_POLICIES, Right.INITIATE)
def remove(request: MemberRequest, workflow: str) -> HttpResponse:
    """Say what would follow, then ask that a workflow asks for nothing any more."""
    subject = workflow_of(workflow)
    policy = policy_of_page(request, subject)
    if policy is None:
        messages.error(request, f"{subject.title} has no policy.")
        return redirect("policies:policies")
    data = request.POST if request.method == "POST" else None
    facts = gathering.gather(request.organization, bots=True)
    form = RemoveForm(data, step_up=request.step_up, workflow=subject, facts=facts)
    answer = answer_to(
        request,
        form,
        lambda: propose(remove_policy, actor=request.member, params=form.params(), note=form.cleaned_data["note"]),
        done=partial(next_page, request),
    )
    if answer:
        return answer
    context = {
        "form": form,
        "workflow": subject,
        "policy": policy,
        "before": meaning_of(policy.approvals, always=policy.always, rules=read_rules(policy.rules) or ()),
        "after": meaning_for(subject, None, always=False),
        "forecast": forecast(
            request.member,
            Workflow.MANAGE_POLICIES,
            facts=facts,
            protected=policy.is_locked,
            frees=freed_by_removal(subject, facts),
        ),
    }
    return render(request, "policies/remove.html", context)


@require_safe
@needs(Workflow.MANAGE_POLICIES, Right.INITIATE)
def roll_out(request: MemberRequest, workflow: str) -> HttpResponse:
    """The way to a locked policy, step by step, each looked at against the people there are at this moment."""
    subject = workflow_of(workflow)
    policy = policy_of_page(request, subject)
    if policy is not None and policy.rules:
        return _to_its_rules(request, subject)
    form = PlanForm(request.GET if "approvals" in request.GET else None, policy=policy)
    waiting = ChangeRequest.objects.of(request.organization).waiting()
    context = {
        "form": form,
        "workflow": subject,
        "approvals": form.planned,
        "waiting": list(waiting.filter(workflow=Workflow.MANAGE_POLICIES, subject=subject.value).order_by("pk")[:20]),
        "last": STAGES[-1],
    }
    facts = gathering.gather(request.organization, bots=True)
    context["standing"] = of_workflow(request.member, facts, subject)
    try:
        context["steps"] = steps(facts, subject, form.planned)
    except Refused as error:
        context["trouble"] = error.message
    return render(request, "policies/roll_out.html", context)


def _to_its_rules(request: MemberRequest, workflow: Workflow) -> HttpResponse:
    """One number would write over all that they say."""
    messages.info(request, f"The policy of {workflow.title} has rules. They are changed here.")
    return redirect("policies:rules", workflow=workflow.value)


def _least(request: MemberRequest, form: ConfigureForm) -> Demand:
    """What the policy in the form takes whatever Manage Policies says, once it can be read (P3)."""
    terms = form.terms() if form.effect is not None else None
    if terms is None:
        return NOTHING
    return least_to_configure(form.facts, terms, gathering.initiator(form.facts, request.member))


def workflow_of(value: str) -> Workflow:
    """The workflow that an address names.

    Raises: Http404 for any other word.
    """
    try:
        return Workflow(value)
    except ValueError as error:
        raise Http404("There is no such workflow.") from error


def policy_of_page(request: MemberRequest, workflow: Workflow) -> Policy | None:
    """The Organization's policy on that workflow; None where it has none."""
    return Policy.objects.filter(organization=request.organization, workflow=workflow.value).first()


def next_page(request: MemberRequest, change: ChangeRequest) -> str:
    """What comes after a change that is done: the next step if it was one of a roll-out, else the policies."""
    step = request.GET.get("step", "")
    if step in NUMBERS:
        return f"{reverse('policies:roll_out', args=[change.subject])}?approvals={step}"
    return reverse("policies:policies")
