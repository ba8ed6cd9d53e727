"""What people see and change of their own security: factors, recovery codes, sessions, and showing a factor again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.authentication import session_store
from accounts.factors import recovery_codes
from accounts.factors.enrolled import Factor, kind_of
from accounts.forms.security.factors import ConfirmForm, ProveForm, RenameForm
from accounts.models import Member
from accounts.security import factor_changes
from accounts.views.next_page import destination
from policies.access import open_to_members
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.core.errors import DomainError, NotFound
from portal.core.factors import WORDS
from portal.core.web.http import MemberRequest

RECENT: Final = 10
HOW: Final = {
    **{kind: word.capitalize() for kind, word in WORDS.items()},
    "password": "Password",
    "switch": "From another Organization",
}


@dataclass(frozen=True, slots=True)
class SignIn:
    """One of the last tries to sign in as this Member."""

    at: datetime
    factor: str
    source: str
    is_success: bool


@require_safe
@open_to_members("everybody looks after their own factors and sessions")
def security(request: MemberRequest) -> HttpResponse:
    """One's own factors, recovery codes, sessions and recent sign-ins."""
    member = request.member
    context = {
        "own": factor_changes.all_of(member),
        "all_codes": recovery_codes.NUMBER,
        "recent": _recent(member),
        "sessions": session_store.theirs(member.user),
        "current": request.session.session_key,
    }
    return render(request, "accounts/security.html", context)


@require_safe
@open_to_members("one's own factors only")
def factor(request: MemberRequest, kind: str, pk: int) -> HttpResponse:
    """One factor: another name, or away with it."""
    return _page(request, _mine(request, kind, pk))


@require_POST
@open_to_members("one's own factors only")
def rename(request: MemberRequest, kind: str, pk: int) -> HttpResponse:
    """Call it something else."""
    found = _mine(request, kind, pk)
    form = RenameForm(request.POST)
    if not form.is_valid():
        return _page(request, found, rename_form=form)
    factor_changes.rename(found, form.cleaned_data["name"], member=request.member)
    messages.success(request, f"It is called “{found.name}” now.")
    return redirect("accounts:security")


@sensitive_post_parameters("code")
@require_POST
@open_to_members("one's own factors only")
def remove(request: MemberRequest, kind: str, pk: int) -> HttpResponse:
    """Take it away, with a factor shown; the last one that meets the level stays (security F-8)."""
    found = _mine(request, kind, pk)
    form = ConfirmForm(request.POST, step_up=request.step_up)
    if form.is_valid():
        words = factor_changes.described(found)
        try:
            factor_changes.remove(found, member=request.member, store=request.session)
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, f"{words} is removed.\nYour other sessions were ended.")
            return redirect("accounts:security")
    return _page(request, found, remove_form=form)


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
@open_to_members("one's own factors only")
def let_count(request: MemberRequest, kind: str, pk: int) -> HttpResponse:
    """Let a factor that counts in another Organization of one's own count here too, with one shown that does."""
    try:
        found = factor_changes.find_elsewhere(request.member, kind, pk)
    except NotFound as error:
        raise Http404(error.message) from error
    form = ConfirmForm(request.POST if request.method == "POST" else None, step_up=request.step_up)
    if form.is_valid():
        try:
            factor_changes.let_count_here(found, member=request.member, store=request.session)
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(
                request, f"{factor_changes.described(found)} counts here now.\nYour other sessions here ended."
            )
            return redirect("accounts:security")
    return render(request, "accounts/let_count.html", {"form": form, "factor": found, "kind": HOW[kind]})


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
@open_to_members("everybody may show their factor again")
def prove(request: MemberRequest) -> HttpResponse:
    """Show a second factor, and go on to where that was needed."""
    form = ProveForm(request.POST if request.method == "POST" else None, step_up=request.step_up)
    if form.is_valid():
        return redirect(destination(request))
    return render(request, "accounts/prove.html", {"form": form})


@never_cache
@require_POST
@open_to_members("a challenge for one's own passkeys")
def passkey_challenge(request: MemberRequest) -> HttpResponse:
    """What the browser needs to ask for a passkey at a step-up, bound to the request it is for (security SU-2)."""
    change, digest = request.POST.get("change", ""), request.POST.get("digest", "")
    if len(change) > 16 or len(digest) > 64:
        return JsonResponse({"detail": "There is no such request."}, status=400)
    return JsonResponse(request.step_up.challenge(change=change, digest=digest))


def _recent(member: Member) -> list[SignIn]:
    kinds = [EventKind.SIGN_IN_SUCCEEDED.value, EventKind.SIGN_IN_FAILED.value]
    events = AuditEvent.objects.filter(organization_id=member.organization_id, kind__in=kinds)
    return [
        SignIn(event.at, HOW.get(event.data.get("factor", ""), "–"), event.source, event.outcome == "success")
        for event in events.filter(subject_kind="member", subject_id=member.pk).order_by("-pk")[:RECENT]
    ]


def _mine(request: MemberRequest, kind: str, pk: int) -> Factor:
    try:
        return factor_changes.find(request.member, kind, pk)
    except NotFound as error:
        raise Http404(error.message) from error


def _page(
    request: MemberRequest,
    found: Factor,
    *,
    rename_form: RenameForm | None = None,
    remove_form: ConfirmForm | None = None,
) -> HttpResponse:
    context = {
        "factor": found,
        "kind": kind_of(found),
        "rename_form": rename_form or RenameForm(initial={"name": found.name}),
        "remove_form": remove_form or ConfirmForm(step_up=request.step_up, auto_id="id_remove_%s"),
    }
    return render(request, "accounts/factor.html", context)
