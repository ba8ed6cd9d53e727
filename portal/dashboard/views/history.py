"""The history of an Organization, as far as the reader may View it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from policies.access import open_to_members
from portal.core.display.csv_export import sheet
from portal.core.errors import Refused
from portal.core.paging import keyset
from portal.core.web.http import MemberRequest
from portal.dashboard.history.export import HEAD, MOST_ROWS, export
from portal.dashboard.history.filters import Narrowing, actors_for, choices_of, events_for
from portal.dashboard.history.rows import told
from portal.dashboard.history.sentences import TOPICS


@require_safe
@open_to_members("it shows the events of what the reader may View")
def history(request: MemberRequest) -> HttpResponse:
    """The newest events first, of the workflows that the reader may View (security AU-7)."""
    choices = choices_of(request.member)
    chosen = Narrowing.read(request.GET, choices)
    page = keyset(chosen.apply(events_for(request.member), request.organization.pk), after=request.GET.get("after"))
    context = {
        "page": page,
        "entries": told(request.member, page.rows),
        "choices": choices,
        "topics": list(TOPICS),
        "actors": actors_for(request.member),
        "chosen": chosen,
        "most": MOST_ROWS,
    }
    return render(request, "dashboard/history.html", context)


@require_POST
@open_to_members("it gives the events of what the reader may View, and remembers that it did")
def export_history(request: MemberRequest) -> HttpResponse:
    """The same as a table, oldest first."""
    chosen = Narrowing.read(request.POST, choices_of(request.member))
    try:
        rows = export(request.member, chosen)
    except Refused as error:
        messages.error(request, error.message)
        return redirect(resolve_url("dashboard:history") + chosen.query)
    return sheet(f"history-{timezone.localdate():%Y-%m-%d}", HEAD, rows)
