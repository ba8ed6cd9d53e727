"""Asking for a rehearsal of one workflow."""

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from policies import snapshot as gathering
from policies.access import allows, lacking, needs
from policies.changes import propose
from policies.forms.rehearsals import EVERYBODY, RehearseForm
from policies.operations import REHEARSE
from policies.rehearsals.history import past
from policies.views.asking import answer_to
from policies.views.configure import workflow_of
from policies.workflows import Right, Workflow
from portal.core.web.http import MemberRequest


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Workflow.MANAGE_POLICIES, Right.VIEW)
def rehearse(request: MemberRequest, workflow: str) -> HttpResponse:
    """Ask everybody who may approve there, or a group of them, to show that they can."""
    subject = workflow_of(workflow)
    if not allows(request.member, subject, Right.INITIATE):
        raise PermissionDenied(f"{lacking(subject, Right.INITIATE)} Ask a member with Manage Access.")
    facts = gathering.gather(request.organization)
    asker = facts.person(request.member.pk)
    if asker is None:
        raise PermissionDenied(lacking(subject, Right.INITIATE))
    form = RehearseForm(
        request.POST if request.method == "POST" else None,
        step_up=request.step_up,
        workflow=subject,
        facts=facts,
        asker=asker,
        initial={"group": request.GET.get("group", EVERYBODY)},
    )
    answer = answer_to(
        request,
        form,
        lambda: propose(REHEARSE[subject], actor=request.member, params=form.params(), note=form.cleaned_data["note"]),
        done="policies:policies",
    )
    if answer:
        return answer
    context = {"form": form, "workflow": subject, "readiness": past(request.organization, facts).ready[subject]}
    return render(request, "policies/rehearsals/rehearse.html", context)
