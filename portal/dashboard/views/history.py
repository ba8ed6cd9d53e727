"""The history of an Organization, as far as the reader may View it."""

from dataclasses import dataclass
from datetime import date

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from policies.access import granted, open_to_members
from policies.models import ChangeRequest
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.audit.queries import readable
from portal.core.http import MemberRequest
from portal.core.paging import keyset

SHORT = 120


@dataclass(frozen=True, slots=True)
class Entry:
    """An AuditEvent as a row of the page."""

    event: AuditEvent
    title: str
    reference: str
    is_mine: bool
    details: list[tuple[str, str]]

    @property
    def day(self) -> date:
        return timezone.localdate(self.event.at)


@require_safe
@open_to_members("it shows the events of what the reader may View")
def history(request: MemberRequest) -> HttpResponse:
    """The newest events first, of the workflows that the reader may View (security AU-7)."""
    views = {(workflow, account_id) for workflow, _, account_id in granted(request.member)}
    choices = [workflow for workflow in Workflow if any(workflow == viewed for viewed, _ in views)]
    chosen = next((workflow for workflow in choices if workflow == request.GET.get("workflow")), None)
    events = readable(request.organization.pk, views)
    if chosen:
        events = events.filter(workflow=chosen)
    page = keyset(events, after=request.GET.get("after"))
    context = {"page": page, "entries": _entries(request, page.rows), "choices": choices, "chosen": chosen}
    return render(request, "dashboard/history.html", context)


def _entries(request: MemberRequest, events: list[AuditEvent]) -> list[Entry]:
    requests = [event.subject_id for event in events if event.subject_kind == "changerequest"]
    changes = ChangeRequest.objects.of(request.organization).filter(pk__in=requests)
    references = dict(changes.values_list("pk", "reference"))
    return [
        Entry(
            event=event,
            title=_title(event),
            reference=references.get(event.subject_id, "") if event.subject_kind == "changerequest" else "",
            is_mine=(event.actor_kind, event.actor_id) == (request.member.kind, request.member.pk),
            details=[(name.replace("_", " "), _short(value)) for name, value in event.data.items()],
        )
        for event in events
    ]


def _title(event: AuditEvent) -> str:
    """The words of its kind, and what it happened to; a kind no longer known is shown as it was stored."""
    words = EventKind(event.kind).words if event.kind in set(EventKind) else event.kind
    is_about_itself = (event.subject_kind, event.subject_id) == (event.actor_kind, event.actor_id)
    return words if is_about_itself or not event.subject_label else f"{words}: {event.subject_label}"


def _short(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= SHORT else text[: SHORT - 1] + "…"
