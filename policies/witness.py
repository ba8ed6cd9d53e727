"""What requests and decisions say must be in the history (security AU-5)."""

from collections.abc import Iterator
from typing import Final

from policies.models import ChangeRequest, Decision, State
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.audit.witnesses import witness

SUBJECT: Final = "changerequest"
# Which event says that a request ended so. `changes.moving` writes them.
ENDED: Final = {
    State.EXECUTED: EventKind.CHANGE_EXECUTED,
    State.FAILED: EventKind.CHANGE_FAILED,
    State.REJECTED: EventKind.CHANGE_REJECTED,
    State.CANCELLED: EventKind.CHANGE_CANCELLED,
    State.EXPIRED: EventKind.CHANGE_EXPIRED,
    State.STALE: EventKind.CHANGE_STALE,
}


@witness
def unrecorded(organization_id: int) -> Iterator[str]:
    """Requests without the event of being asked, or of how they ended; approvals without the event of being given."""
    events = AuditEvent.objects.filter(organization_id=organization_id, subject_kind=SUBJECT)
    rows = ChangeRequest.objects.filter(organization_id=organization_id)
    for state, kind in (("", EventKind.CHANGE_REQUESTED), *ENDED.items()):
        known = events.filter(kind=kind.value).values("subject_id")
        of_state = rows.filter(state=state) if state else rows
        for reference in of_state.exclude(pk__in=known).order_by("pk").values_list("reference", flat=True):
            yield f"request {reference} has no event {kind.value}"
    approvals = Decision.objects.filter(change__organization_id=organization_id, approved=True).order_by("pk")
    # Read before their events: what is approved meanwhile is not missed.
    given = list(approvals.values_list("change__reference", "change_id", "member_id", "person_id", "member__user_id"))
    said = set(events.filter(kind=EventKind.CHANGE_APPROVED.value).values_list("subject_id", "actor_id"))
    for reference, change, member, person, of_member in given:
        if (change, member) not in said or person != of_member:
            yield f"request {reference} has an approval without its event {EventKind.CHANGE_APPROVED.value}"
