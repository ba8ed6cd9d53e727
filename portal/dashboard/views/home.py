"""The front door."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from accounts.models import Organization


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the inbox, to the sign-in, or to the set-up while there is nothing to sign in to."""
    if request.user.is_authenticated:
        return redirect("policies:inbox")
    return redirect("accounts:sign_in" if Organization.objects.exists() else "accounts:setup")
