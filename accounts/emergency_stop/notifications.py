"""Telling people of a stop: whom it stopped, and all who approve on Manage Access; several at once loudly (M3)."""

from datetime import timedelta
from typing import Final

from django.urls import reverse
from django.utils import timezone

from accounts.authentication import notifications
from accounts.authentication.email_links import absolute
from accounts.models import Member, SecurityNotice
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.core.display.phrases import dated
from portal.core.errors import Invalid

AT_ONCE: Final = timedelta(minutes=1)
STOPS: Final = (
    EventKind.MEMBER_SUSPENDED,
    EventKind.SERVICE_USER_SUSPENDED,
    EventKind.KEY_PAUSED,
    EventKind.KEY_REVOKED,
    EventKind.KEY_OVERLAP_ENDED,
    EventKind.SIGNED_OUT,
)


def why(reason: str) -> str:
    """The reason of an emergency stop, which everybody concerned reads; the one place that asks for it.

    Raises: Invalid if none is given.
    """
    said = reason.strip()
    if not said:
        raise Invalid("Say why, so that whoever is told of it knows what to do.", field="reason")
    return said


def tell(actor: Member, *, did: str, reason: str, stopped: Member | None = None) -> None:
    """Say `did` to everybody else who approves; in the transaction that has just recorded the emergency stop.

    Of many within a minute the first is told by itself, and then that there are many, once a minute.
    """
    pulled = _pulled_lately(actor)
    kind = "stop_pulled" if pulled < 2 else "many_stops"
    if kind == "many_stops" and _told_lately(actor):
        return
    for member in _approvers(actor):
        if stopped is None or member.user_id != stopped.user_id:
            notifications.notify_security(
                member.user,
                kind,
                by=actor.label,
                actor=actor.pk,
                did=did,
                reason=reason,
                number=pulled,
                organization=actor.organization.name,
                link=absolute(reverse("accounts:active_stops")),
            )


def tell_suspended(member: Member, *, by: Member, reason: str) -> None:
    """Say to somebody that they were suspended, by whom, why, and until when."""
    until = f"{dated(member.suspended_until)} UTC" if member.suspended_until else "never"
    notifications.notify_security(
        member.user,
        "suspended",
        by=by.label,
        reason=reason,
        until=until,
        organization=member.organization.name,
    )


def tell_kept_out(member: Member, *, by: str) -> None:
    """Say to somebody that they are kept out until that is lifted, and who asked for it."""
    notifications.notify_security(member.user, "kept_out", by=by, organization=member.organization.name)


def tell_signed_out(member: Member, *, by: Member, reason: str) -> None:
    """Say to somebody that another ended their sessions, and why."""
    notifications.notify_security(
        member.user,
        "signed_out",
        by=by.label,
        reason=reason,
        organization=member.organization.name,
    )


def _approvers(actor: Member) -> list[Member]:
    rows = Member.objects.active().filter(
        organization=actor.organization_id,
        grants__workflow=Workflow.MANAGE_ACCESS.value,
        grants__right=Right.APPROVE.value,
    )
    return list(rows.exclude(pk=actor.pk).select_related("user").distinct().order_by("pk"))


def _pulled_lately(actor: Member) -> int:
    events = AuditEvent.objects.filter(
        organization_id=actor.organization_id,
        kind__in=[kind.value for kind in STOPS],
        actor_kind=actor.kind,
        actor_id=actor.pk,
        at__gt=timezone.now() - AT_ONCE,
    )
    # Ending one's own sessions stops nobody.
    return events.exclude(kind=EventKind.SIGNED_OUT.value, subject_id=actor.pk).count()


def _told_lately(actor: Member) -> bool:
    since = timezone.now() - AT_ONCE
    return SecurityNotice.objects.filter(kind="many_stops", data__actor=actor.pk, at__gt=since).exists()
