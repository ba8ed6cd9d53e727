"""Showing who one is, and looking at what somebody showed."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts.forms.members.members import DOCUMENTS, DocumentForm, ReviewForm
from accounts.members.identity import checks, reviewers
from accounts.members.identity.verify import VerifyIdentity, verify_identity
from accounts.models import Member
from accounts.models.member import Identity
from policies.access import needs, open_to_members
from policies.changes import propose
from policies.views.asking import onward
from policies.workflows import Right, Workflow
from portal.core.errors import DomainError, Refused
from portal.core.web.http import MemberRequest

VERIFY, REJECT = "verify", "reject"


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@open_to_members("everybody shows their own identity")
def own(request: MemberRequest) -> HttpResponse:
    """Where one's own identity stands, and the form to show a document."""
    member = request.member
    may_show = member.identity in (Identity.UNVERIFIED, Identity.REJECTED)
    form = DocumentForm(request.POST or None) if may_show else None
    if form is not None and form.is_valid():
        try:
            checks.submit(member, form.document())
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, "It is sealed and waits for a review.\nUntil then you may look, and not act.")
            return redirect("accounts:identity")
    context = {
        "form": form,
        "state": Identity(member.identity),
        "last": checks.last_of(member),
        "promise": checks.PROVIDER.promise,
    }
    return render(request, "accounts/identity.html", context)


@sensitive_variables("document", "context")
@require_http_methods(["GET", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.APPROVE)
def review(request: MemberRequest, number: int) -> HttpResponse:
    """What a member showed, for whoever may judge it."""
    check = checks.waiting_of(request.organization, number)
    if check is None:
        raise Http404("Nothing waits for a review.")
    member = check.member
    form = ReviewForm(
        request.POST if request.method == "POST" else None,
        step_up=request.step_up,
        initial={"check": str(check.handle)},
    )
    if form.is_valid():
        try:
            return _decide(request, member, form)
        except DomainError as error:
            form.refuse(error)
    try:
        document = checks.open_document(check, reader=request.member)
    except Refused as error:
        messages.error(request, error.message)
        return redirect("accounts:member", number=member.pk)
    context = {
        "form": form,
        "member": member,
        "check": check,
        "document": document,
        "prospect": reviewers.prospect(member, request.member),
        "kind": dict(DOCUMENTS).get(document.kind, document.kind),
    }
    response = render(request, "accounts/review_identity.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _decide(request: MemberRequest, member: Member, form: ReviewForm) -> HttpResponse:
    if request.POST.get("decision") == VERIFY:
        params = VerifyIdentity(member_id=member.pk, check=form.cleaned_data["check"])
        change = propose(verify_identity, actor=request.member, params=params)
        return onward(request, change, done=reverse("accounts:member", args=[member.pk]))
    checks.reject(member, by=request.member, reason=form.cleaned_data["reason"])
    messages.success(request, f"What {member.label} showed is turned down.\nThey read why, and can show another.")
    return redirect("accounts:member", number=member.pk)
