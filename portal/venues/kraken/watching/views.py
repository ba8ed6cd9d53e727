"""The alarms of an Organization: all of them, the newest first, and acknowledging one."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from policies.access import open_to_members
from portal.core.errors import NotFound, Refused
from portal.core.paging import keyset
from portal.core.web.http import MemberRequest
from portal.venues.kraken.alarms import acknowledging, reach
from portal.venues.kraken.alarms.line import leads_to
from portal.venues.kraken.models import Alarm
from portal.venues.kraken.watching import standing


@dataclass(frozen=True, slots=True)
class Row:
    """One alarm of the list."""

    alarm: Alarm
    href: str
    may_acknowledge: bool


@require_safe
@open_to_members("shows the alarms of what the reader may view")
def alarms(request: MemberRequest) -> HttpResponse:
    """Open and acknowledged ones alike, and below them what is looked at, and since when it could not be."""
    found = reach.seen_by(request.member.pk, request.member.organization_id)
    page = keyset(found.select_related("account"), after=request.GET.get("after"))
    rows = [
        Row(
            alarm,
            leads_to(alarm.kind, alarm.subject, alarm.account_id),
            alarm.acknowledged_at is None and reach.may_acknowledge(request.member, alarm),
        )
        for alarm in page.rows
    ]
    context = {"rows": rows, "page": page, "standing": standing.standing(request.member)}
    return render(request, "kraken/alarms.html", context)


@require_POST
@open_to_members("asks for a right on what the alarm is about")
def acknowledge(request: MemberRequest, pk: int) -> HttpResponse:
    """Take it off every page."""
    try:
        acknowledging.acknowledge(pk, member=request.member)
    except NotFound as error:
        raise Http404(error.message) from error
    except Refused as error:
        raise PermissionDenied(error.message) from error
    messages.success(request, "The alarm is acknowledged. It stays in this list, with your name.")
    return redirect("kraken:alarms")
