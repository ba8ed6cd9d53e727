"""Raising alarms: written once, whoever else sees the same at that moment."""

from typing import Final

from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from portal.audit.kinds import EventKind
from portal.audit.record import appending, encoded, record
from portal.core.actors import portal
from portal.venues.kraken.alarms import mail, reach
from portal.venues.kraken.models import SAID_LENGTH, SUBJECT_LENGTH, Alarm

CUT: Final = "…"


def raise_alarm(account: Account, kind: Alarm.Kind, *, subject: str, said: str, once: bool = False) -> bool:
    """Write an alarm of the Account and queue its mail, unless one of that kind and subject is open; whether it is new.

    With `once` not even if one was acknowledged: for what happens one time only. `said` is for people, and may hold
    what the exchange said. It takes the history's lock, and no other.
    """
    alike = Alarm.objects.filter(account=account.pk, kind=kind, subject=subject[:SUBJECT_LENGTH])
    if not once:
        alike = alike.filter(acknowledged_at=None)
    if alike.exists():
        return False
    # The row of the history orders whoever raises: the second one finds what the first has written.
    with transaction.atomic(), appending(account.organization_id):
        if alike.exists():
            return False
        alarm = Alarm.objects.create(
            organization_id=account.organization_id,
            account=account,
            kind=kind,
            subject=subject[:SUBJECT_LENGTH],
            said=cut(encoded(said), SAID_LENGTH),
            raised_at=timezone.now(),
        )
        record(
            EventKind.ALARM_RAISED,
            actor=portal(account.organization_id),
            subject=alarm,
            workflow=reach.workflows_of(alarm)[-1],
            account_id=account.pk,
            said=alarm.said,
        )
        mail.tell.enqueue(alarm.pk)
    return True


def cut(text: str, length: int) -> str:
    """`text`, or as much of it as fits, and a sign that there was more."""
    return text if len(text) <= length else text[: length - len(CUT)] + CUT
