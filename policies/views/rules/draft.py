"""Changing one's draft: begun, a rule added, changed or struck out, put away. Nothing obeys it, so nothing is asked."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from policies import drafts
from policies.access import needs
from policies.forms.rules.draft import OpenHoursForm
from policies.forms.rules.rule import RuleForm
from policies.rules.language import Rule
from policies.views.configure import workflow_of
from policies.views.rules.standing import Standing
from policies.workflows import Right, Workflow
from portal.core.errors import Conflict, DomainError, NotFound
from portal.core.web.http import MemberRequest


@require_POST
@needs(Workflow.MANAGE_POLICIES, Right.INITIATE)
def draft(request: MemberRequest, workflow: str) -> HttpResponse:
    """What the buttons beside a draft do: begin one, strike a rule out, go on from what is in force, discard it."""
    subject = workflow_of(workflow)
    stands = Standing(request, subject)
    act, _, key = request.POST.get("act", "").partition(":")
    try:
        if act == "begin":
            drafts.begin(request.member, subject, stands.terms)
        elif act == "remove":
            drafts.remove(request.member, subject, key)
            messages.success(request, "The rule is out of your draft.")
        elif act == "carry_on":
            drafts.carry_on(request.member, subject, stands.terms)
        elif act == "discard":
            drafts.discard(request.member, subject)
            messages.success(request, "Your draft is gone. What is in force stays.")
        else:
            _stay_open(request, subject)
    except DomainError as error:
        messages.error(request, error.message)
    return redirect("policies:rules", workflow=workflow)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Workflow.MANAGE_POLICIES, Right.INITIATE)
def new_rule(request: MemberRequest, workflow: str) -> HttpResponse:
    """Add a rule to one's draft, like another one of it where that is named."""
    stands = Standing(request, workflow_of(workflow))
    like = _rule(stands, request.GET.get("like", ""))
    # One that is written anew binds everybody, and asks one approval.
    return _edited(request, stands, like or Rule(approvals=1), key="")


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Workflow.MANAGE_POLICIES, Right.INITIATE)
def rule(request: MemberRequest, workflow: str, key: str) -> HttpResponse:
    """Change a rule of one's draft; what is in force begins one."""
    stands = Standing(request, workflow_of(workflow))
    found = _rule(stands, key)
    if found is None and request.method != "POST":
        messages.error(request, drafts.GONE)
        return redirect("policies:rules", workflow=workflow)
    return _edited(request, stands, found or Rule(approvals=1), key=key)


def _edited(request: MemberRequest, stands: Standing, began_as: Rule, *, key: str) -> HttpResponse:
    form = RuleForm(
        request.POST if request.method == "POST" else None,
        began_as=began_as,
        names=stands.names,
        facts=stands.facts,
        by_amount=stands.is_by_amount,
    )
    if not form.is_partial and form.is_valid() and _is_put(request, stands, form, key):
        return redirect("policies:rules", workflow=stands.workflow.value)
    context = {"form": form, "workflow": stands.workflow, "is_new": not key, "stands": stands}
    return render(request, "policies/rule.html", context)


def _is_put(request: MemberRequest, stands: Standing, form: RuleForm, key: str) -> bool:
    try:
        in_place = drafts.put(request.member, stands.workflow, form.rule, key=key, terms=stands.terms)
    except DomainError as error:
        form.refuse(error)
        return False
    if in_place:
        messages.success(request, "The rule is in your draft. Nothing is asked yet.")
    else:
        messages.warning(request, "The rule you began from was not in your draft any more: yours stands beside it all.")
    return True


def _rule(stands: Standing, key: str) -> Rule | None:
    """The rule of that name in the draft, or in force while there is none."""
    known = stands.drafted if stands.draft is not None else stands.in_force
    return next((each for each in known or () if key and drafts.key_of(each) == key), None)


def _stay_open(request: MemberRequest, workflow: Workflow) -> None:
    form = OpenHoursForm(request.POST)
    if not form.is_valid():
        raise Conflict(f"Stays open, in hours: {form.errors['open_hours'][0]}")
    if drafts.find(request.member, workflow) is None:
        raise NotFound("You have no draft of this policy.")
    drafts.stay_open(request.member, workflow, form.cleaned_data["open_hours"])
    messages.success(request, "Your draft says so now.")
