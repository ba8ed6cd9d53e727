"""The four workflows and what each asks for."""

from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from policies import facts as gathering
from policies.access import allows, needs
from policies.changes import propose
from policies.forms import ConfigureForm, RemoveForm
from policies.models import ChangeRequest, Policy, State
from policies.operations import configure_policy, meaning, remove_policy
from policies.rules import Terms, policy_of
from policies.rules.stages import STAGES, Stage, stage_of
from policies.standing import away, forecast
from policies.workflows import Right, Workflow
from portal.core.errors import DomainError, Refused
from portal.core.http import MemberRequest

NEXT: Final = {
    Stage.BOOTSTRAP: "Nothing is asked yet. Begin with one approval.",
    Stage.CONFIGURED: "Turn on Always require approval to enforce it.",
    Stage.ENFORCED: "Lock it, so that only others’ approval changes it.",
    Stage.LOCKED: "",
}


@dataclass(frozen=True, slots=True)
class Track:
    """One stage of the track: reached before, reached now, or still ahead."""

    label: str
    css: str


@dataclass(frozen=True, slots=True)
class Article:
    """One workflow on the page. `policy` is None without one, and when it cannot be read."""

    workflow: Workflow
    policy: Terms | None
    trouble: str
    track: tuple[Track, ...]
    meaning: str
    advice: str


@require_safe
@needs(Workflow.MANAGE_POLICIES, Right.VIEW)
def policies(request: MemberRequest) -> HttpResponse:
    """Who must agree to what, and who counts if somebody is away."""
    facts = gathering.gather(request.organization)
    context = {
        "articles": [_article(workflow, facts.policies) for workflow in Workflow],
        "away": away(facts, request.member),
        "may_ask": allows(request.member, Workflow.MANAGE_POLICIES, Right.INITIATE),
    }
    return render(request, "policies/policies.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Workflow.MANAGE_POLICIES, Right.INITIATE)
def configure(request: MemberRequest, workflow: str) -> HttpResponse:
    """Ask that a workflow takes so many approvals."""
    subject = workflow_of(workflow)
    policy = policy_of_page(request, subject)
    data = request.POST if request.method == "POST" else None
    form = ConfigureForm(data, request=request, workflow=subject, policy=policy)
    if form.is_valid():
        try:
            change = propose(
                configure_policy, actor=request.member, params=form.params(), note=form.cleaned_data["note"]
            )
        except DomainError as error:
            form.refuse(error)
        else:
            return onward(request, change)
    context = {
        "form": form,
        "workflow": subject,
        "policy": policy,
        "meaning": meaning(policy.approvals if policy else None, always=bool(policy and policy.always)),
        "forecast": forecast(
            request.member, Workflow.MANAGE_POLICIES, protected=policy is not None and policy.is_locked
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
    form = RemoveForm(data, request=request, workflow=subject)
    if form.is_valid():
        try:
            change = propose(remove_policy, actor=request.member, params=form.params(), note=form.cleaned_data["note"])
        except DomainError as error:
            form.refuse(error)
        else:
            return onward(request, change)
    context = {
        "form": form,
        "workflow": subject,
        "policy": policy,
        "before": meaning(policy.approvals, policy.always),
        "after": meaning(None, always=False),
        "forecast": forecast(request.member, Workflow.MANAGE_POLICIES, protected=policy.is_locked),
    }
    return render(request, "policies/remove.html", context)


def workflow_of(value: str) -> Workflow:
    try:
        return Workflow(value)
    except ValueError as error:
        raise Http404("There is no such workflow.") from error


def policy_of_page(request: MemberRequest, workflow: Workflow) -> Policy | None:
    return Policy.objects.filter(organization=request.organization, workflow=workflow.value).first()


def onward(request: MemberRequest, change: ChangeRequest) -> HttpResponse:
    """To the policies when it is done, else to the request that waits."""
    messages.success(request, change.receipt)
    if change.state == State.EXECUTED:
        return redirect("policies:policies")
    return redirect("policies:request", reference=change.reference)


def _article(workflow: Workflow, found: tuple[Terms, ...]) -> Article:
    try:
        policy = policy_of(found, workflow)
    except Refused as error:
        return Article(workflow, None, error.message, (), "", "")
    where = stage_of(policy)
    place = STAGES.index(where)
    track = tuple(
        Track(name.capitalize(), "is-now") if step == place else Track("", "is-past" if step < place else "")
        for step, name in enumerate(STAGES)
    )
    says = meaning(policy.approvals if policy else None, always=bool(policy and policy.always))
    return Article(workflow, policy, "", track, says, NEXT[where])
