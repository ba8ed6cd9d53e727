"""Taking the history away as a table: no more than the reader may see, not too often, and remembered (AU-7, IN-3)."""

import json
from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils import timezone

from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.audit.record import lock_history, record
from portal.core.errors import Refused
from portal.dashboard.history.causes import Cause, causes
from portal.dashboard.history.filters import Narrowing, events_for
from portal.dashboard.history.rows import in_words

if TYPE_CHECKING:
    from accounts.models import Member

MOST_ROWS: Final = 10_000
MOST_AN_HOUR: Final = 10
HEAD: Final = (
    "Number", "Time (UTC)", "What happened", "Kind", "Outcome", "Actor", "Actor kind", "Subject", "Subject kind",
    "Workflow", "Account", "Source", "By way of", "Request id", "Data", "Previous hash", "Hash",
)  # fmt: skip


def export(member: "Member", narrowing: Narrowing) -> list[Sequence[object]]:
    """The rows of a table under HEAD, oldest first; that they were taken is recorded before they are given.

    Raises: Refused if they are too many for one table, or too many tables were taken within the hour.
    """
    with transaction.atomic():
        lock_history(member.organization_id)
        _refuse_often(member)
        events = list(narrowing.apply(events_for(member), member.organization_id).order_by("id")[: MOST_ROWS + 1])
        if len(events) > MOST_ROWS:
            raise Refused(f"More than {MOST_ROWS:,} events fit. Narrow them by days, and take them in parts.")
        record(
            EventKind.HISTORY_EXPORTED,
            actor=member,
            workflow=narrowing.workflow or Workflow.MANAGE_ACCESS,
            events=len(events),
            narrowed_to=narrowing.values,
        )
    by = causes(member.organization_id, events)
    return [_row(event, by.get(str(event.data.get("change", "")))) for event in events]


def _refuse_often(member: "Member") -> None:
    lately = AuditEvent.objects.filter(
        organization_id=member.organization_id,
        actor_kind=member.kind,
        actor_id=member.pk,
        kind=EventKind.HISTORY_EXPORTED.value,
        at__gt=timezone.now() - timedelta(hours=1),
    )
    if lately.order_by()[:MOST_AN_HOUR].count() >= MOST_AN_HOUR:
        raise Refused(f"You have exported the history {MOST_AN_HOUR} times within an hour. Wait a while.")


def _row(event: AuditEvent, cause: Cause | None) -> Sequence[object]:
    return (
        event.sequence,
        event.at.astimezone(UTC).isoformat(timespec="seconds"),
        in_words(event, cause),
        event.kind,
        event.outcome,
        event.actor_label,
        event.actor_kind,
        event.subject_label,
        event.subject_kind,
        event.workflow,
        event.account.name if event.account else "",
        event.source,
        event.via,
        event.request_id,
        json.dumps(event.data, ensure_ascii=False, sort_keys=True) if event.data else "",
        event.previous,
        event.hash,
    )
