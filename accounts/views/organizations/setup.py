"""The set-up page: there while no Organization is, and gone for good afterwards (DESIGN O2)."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.forms.organizations.setup import EXPLAINED, OrganizationForm, ReviewForm
from accounts.models import Organization, User
from accounts.models.organization import SecondFactorLevel
from accounts.organizations.founding import set_up
from accounts.views import session_changes
from portal.core.errors import DomainError

DRAFT = "setup"
View = Callable[[HttpRequest], HttpResponse]


def only_before(view: View) -> View:
    """Open while there is no Organization; else there is no such page."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        if Organization.objects.exists():
            raise Http404("This portal is set up already.")
        return view(request)

    return guarded


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
@only_before
def setup(request: HttpRequest) -> HttpResponse:
    """Step 1: name, currency, level, and who becomes the Owner."""
    form = OrganizationForm(request.POST or None, initial=request.session.get(DRAFT))
    if form.is_valid():
        request.session[DRAFT] = form.cleaned_data
        return redirect("accounts:setup_review")
    return render(request, "accounts/setup.html", {"form": form})


@login_not_required
@never_cache
@sensitive_post_parameters("password", "again")
@require_http_methods(["GET", "POST"])
@only_before
def review(request: HttpRequest) -> HttpResponse:
    """Step 2: read it once more, choose a password, and found it. Then the Owner enrols a factor."""
    draft: dict[str, str] | None = request.session.get(DRAFT)
    if draft is None:
        return redirect("accounts:setup")
    owner = User(email=draft["email"], name=draft["name"])
    form = ReviewForm(request.POST or None, owner=owner, organization=draft["organization"])
    if form.is_valid():
        try:
            member = set_up(
                name=draft["organization"],
                currency=draft["currency"],
                level=SecondFactorLevel(draft["level"]),
                email=draft["email"],
                owner_name=draft["name"],
                password=form.cleaned_data["password"],
            )
        except DomainError as error:
            form.refuse(error)
        else:
            session_changes.await_first_factor(request, member, then=reverse("accounts:welcome"))
            return redirect("accounts:enrol")
    context = {"form": form, "draft": draft, "level": dict(EXPLAINED)[draft["level"]]}
    return render(request, "accounts/setup_review.html", context)
