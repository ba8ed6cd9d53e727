"""Whether the database takes changes, for pages that were open when that became another."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from policies.access import open_to_members
from portal.core.database.postgresql import standby
from portal.core.web.http import MemberRequest


@require_safe
@open_to_members("whether anything can be decided concerns whoever is here")
def read_only(request: MemberRequest) -> HttpResponse:
    """The notice, or its absence; 204 where the page shows that already, so that nobody is told again and again."""
    if (request.GET.get("shown") == "1") == standby.is_read_only():
        return HttpResponse(status=204)
    return render(request, "components/_read_only_now.html")
