"""Raising alarms: written once by whoever sees something; mailed, shown and acknowledged by others."""

from django.utils import timezone

from accounts.models import Account
from portal.venues.kraken.models import Alarm

SAID_LENGTH = 500


def raise_alarm(account: Account, kind: Alarm.Kind, *, subject: str, said: str) -> bool:
    """Write an alarm of the Account, unless one of that kind and subject is open; whether it is new."""
    made = Alarm.objects.bulk_create(
        [
            Alarm(
                organization_id=account.organization_id,
                account=account,
                kind=kind,
                subject=subject[:120],
                said=said[:SAID_LENGTH],
                raised_at=timezone.now(),
            )
        ],
        ignore_conflicts=True,
    )
    return bool(made)
