"""The front door."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the inbox, or to the sign-in."""
    return redirect("policies:inbox" if request.user.is_authenticated else "accounts:sign_in")
