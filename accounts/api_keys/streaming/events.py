"""What the history remembers of streams: who began one from where, and each that was closed from here."""

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.api_keys.credentials import Credential
from accounts.models import ApiKey, Member, StreamSocket
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.audit.record import lock_history, record
from portal.core import call_origin
from portal.core.actors import portal

BY_MEMBER: Final = "A member closed it."
ONCE_IN: Final = timedelta(minutes=1)


def opened(credential: Credential, *, source: str) -> None:
    """Record that a key begins to stream from there.

    Once a minute for each key and address: bots come back by the dozen, and must not fill the history.
    """
    if _has_begun(credential, source):
        return
    with transaction.atomic():
        lock_history(credential.organization_id)
        if _has_begun(credential, source):
            return
        key = ApiKey.objects.select_related("service_user").get(pk=credential.id)
        with call_origin.origin(source=source, via=f"key {key.short}"):
            record(
                EventKind.STREAM_OPENED,
                actor=key.service_user,
                subject=key,
                workflow=Workflow.MANAGE_ACCESS,
                bot=credential.name,
            )


@transaction.atomic
def closed(credential: Credential, *, source: str, reason: str) -> None:
    """Record that the portal itself closed a stream of this key; `reason` is a sentence for people.

    Once a minute for each key and reason: one that comes back and is closed again must not fill the history.
    """
    lock_history(credential.organization_id)
    if _lately(credential, EventKind.STREAM_CLOSED).filter(data__reason=reason).exists():
        return
    key = ApiKey.objects.get(pk=credential.id)
    with call_origin.origin(source=source, via=f"key {key.short}"):
        record(
            EventKind.STREAM_CLOSED,
            actor=portal(credential.organization_id),
            subject=key,
            workflow=Workflow.MANAGE_ACCESS,
            bot=credential.name,
            reason=reason,
        )


def closed_by(member: Member, socket: StreamSocket) -> None:
    """Record that a Member closes a stream. In the transaction that marks it."""
    record(
        EventKind.STREAM_CLOSED,
        actor=member,
        subject=socket.api_key,
        workflow=Workflow.MANAGE_ACCESS,
        bot=socket.api_key.service_user.name,
        reason=BY_MEMBER,
        opened_from=socket.source,
    )


def _has_begun(credential: Credential, source: str) -> bool:
    return _lately(credential, EventKind.STREAM_OPENED).filter(source=source).exists()


def _lately(credential: Credential, kind: EventKind) -> QuerySet[AuditEvent]:
    known = AuditEvent.objects.filter(organization_id=credential.organization_id, kind=kind.value)
    of_key = known.filter(subject_kind=ApiKey._meta.model_name, subject_id=credential.id)
    return of_key.filter(at__gt=timezone.now() - ONCE_IN)
