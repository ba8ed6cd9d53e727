"""What the operator has announced about somebody's factors, and cancelling it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.security import operator_recovery as announced
from policies.access import open_to_members
from portal.core.errors import DomainError
from portal.core.web.http import MemberRequest


@require_safe
@open_to_members("any member may cancel a recovery")
def recoveries(request: MemberRequest) -> HttpResponse:
    """Every recovery that runs in the Organization."""
    context = {"running": announced.running_in(request.organization.pk)}
    return render(request, "accounts/recoveries.html", context)


@require_POST
@open_to_members("any member may cancel a recovery")
def cancel(request: MemberRequest, number: int) -> HttpResponse:
    """Stop it, at once: this only keeps things as they are."""
    try:
        recovery = announced.cancel(actor=request.member, number=number)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"The recovery of {recovery.member.label} is cancelled.\nEverybody was told.")
    return redirect("accounts:recoveries")
