"""Asking that a policy is locked, or unlocked (DESIGN P3)."""

from functools import partial

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from policies import snapshot as gathering
from policies.access import needs
from policies.changes import propose
from policies.forecast import forecast
from policies.forms.policies import LockForm
from policies.models import ChangeRequest
from policies.operations import lock_policy, unlock_policy
from policies.rehearsals.history import past
from policies.rules.binding_changes import least_to_lock
from policies.rules.language import NOTHING
from policies.rules.stages import meaning_of
from policies.snapshot.stored_rules import read_rules
from policies.views.asking import answer_to
from policies.views.configure import next_page, policy_of_page, workflow_of
from policies.workflows import Right, Workflow
from portal.core.web.http import MemberRequest


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Workflow.MANAGE_POLICIES, Right.INITIATE)
def lock(request: MemberRequest, workflow: str) -> HttpResponse:
    """Ask that only others' approval changes a policy."""
    return _page(request, workflow, locking=True)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Workflow.MANAGE_POLICIES, Right.INITIATE)
def unlock(request: MemberRequest, workflow: str) -> HttpResponse:
    """Ask that a policy can be changed by what Manage Policies asks for alone."""
    return _page(request, workflow, locking=False)


def _page(request: MemberRequest, workflow: str, *, locking: bool) -> HttpResponse:
    subject = workflow_of(workflow)
    policy = policy_of_page(request, subject)
    if policy is None or policy.is_locked == locking:
        why = "has no policy" if policy is None else "is locked already" if locking else "is not locked"
        messages.error(request, f"{subject.title} {why}.")
        return redirect("policies:policies")
    facts = gathering.gather(request.organization, bots=True)
    form = LockForm(
        request.POST if request.method == "POST" else None,
        step_up=request.step_up,
        policy=policy,
        facts=facts,
        unanswered=past(request.organization, facts).ready[subject].missing if locking else (),
    )
    ask = partial(_ask, request, form, locking=locking)
    answer = answer_to(request, form, ask, done=partial(next_page, request))
    if answer:
        return answer
    asker = gathering.initiator(facts, request.member)
    least = least_to_lock(facts, subject, asker) if locking else NOTHING
    context = {
        "form": form,
        "workflow": subject,
        "locking": locking,
        "meaning": meaning_of(policy.approvals, always=policy.always, rules=read_rules(policy.rules) or ()),
        "forecast": forecast(
            request.member, Workflow.MANAGE_POLICIES, facts=facts, protected=policy.is_locked, least=least
        ),
    }
    return render(request, "policies/lock.html", context)


def _ask(request: MemberRequest, form: LockForm, *, locking: bool) -> ChangeRequest:
    note = form.cleaned_data["note"]
    if locking:
        return propose(lock_policy, actor=request.member, params=form.lock_params(), note=note)
    return propose(unlock_policy, actor=request.member, params=form.unlock_params(), note=note)
