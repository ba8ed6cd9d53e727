"""Ending the sessions of another Member at once (security SI-9)."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.authentication.session_store import record_end
from accounts.emergency_stop import notifications
from accounts.models import Member, Session
from policies import access
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.audit.record import lock_history
from portal.core.errors import NotFound, Refused

# How often one person ends the sessions of one other.
NOT_AGAIN_WITHIN: Final = timedelta(minutes=10)


@transaction.atomic
def end_of(member: Member, *, by: Member, reason: str, shown_at: datetime | None = None) -> int:
    """End every session of another Member of the same Organization, and say how many that were (security SI-9).

    It takes power away for a moment only, so like an emergency stop it takes Initiate on Manage Access and never waits.
    Nobody keeps somebody out by it: once in ten minutes for each pair of people, and not of whoever has signed in since
    such an end, or since `shown_at`, when the page was shown on which that was decided.

    Raises: Refused for that, or without that right; NotFound for a Member of another Organization; Invalid
    without a reason.
    """
    reason = notifications.why(reason)
    lock_history(by.organization_id)
    access.require(by, Workflow.MANAGE_ACCESS, Right.INITIATE)
    if member.organization_id != by.organization_id:
        raise NotFound("There is no such member.")
    bar = bar_to_end(member, by, shown_at=shown_at)
    if bar:
        raise Refused(bar)
    ended = Session.objects.filter(member=member).delete()[0]
    record_end(by, member, f"Ended by {by.label}. {reason}", ended)
    if member.user_id != by.user_id:
        notifications.tell_signed_out(member, by=by, reason=reason)
        notifications.tell(by, did=f"ended the sessions of {member.label}", reason=reason, stopped=member)
    return ended


def bar_to_end(member: Member, by: Member, *, shown_at: datetime | None = None) -> str:
    """Why `by` may not end the sessions of `member` now, to them; empty where they may."""
    ends = AuditEvent.objects.filter(
        organization_id=member.organization_id,
        kind=EventKind.SIGNED_OUT,
        actor_kind=member.kind,
        subject_kind=member.kind,
        subject_id=member.pk,
        at__gt=timezone.now() - NOT_AGAIN_WITHIN,
    ).exclude(actor_id=member.pk)
    if ends.filter(actor_id=by.pk).exists():
        return f"You ended their sessions less than ten minutes ago. Suspend {member.label} if they must stay out."
    last = ends.aggregate(last=Max("at"))["last"]
    since = max((at for at in (last, shown_at) if at is not None), default=None)
    if since is not None and Session.objects.filter(member=member, started_at__gt=since).exists():
        return f"{member.label} has signed in since. Look at the sessions again, or suspend them to keep them out."
    return ""
