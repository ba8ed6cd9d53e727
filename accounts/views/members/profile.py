"""One's own name, language and time zone; and the notices one has read."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.authentication import notifications
from accounts.forms.members.profile import ProfileForm
from accounts.members import profile as own_profile
from accounts.views.next_page import destination
from policies.access import open_to_members
from portal.core.errors import DomainError
from portal.core.web.http import MemberRequest


@require_http_methods(["GET", "POST"])
@open_to_members("one's own profile")
def profile(request: MemberRequest) -> HttpResponse:
    """Look at it and change it."""
    form = ProfileForm(request.POST or None, user=request.member.user)
    if form.is_valid():
        try:
            own_profile.change(request.member, **form.cleaned_data)
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, "Your profile is changed.")
            return redirect("accounts:profile")
    return render(request, "accounts/profile.html", {"form": form})


@require_POST
@open_to_members("only one's own notices")
def put_notice_away(request: MemberRequest, number: int) -> HttpResponse:
    """Mark a notice as seen, and stay where one was."""
    notifications.put_away(request.member.user, number)
    return redirect(destination(request))
