"""Credentials as the exchange describes them now: what was changed there, and what expires."""

from datetime import timedelta
from typing import Final

from django.utils import timezone

from portal.core.display.phrases import counted, dated
from portal.venues.kraken import inspection
from portal.venues.kraken.alarms import raise_alarm
from portal.venues.kraken.credentials import key_info
from portal.venues.kraken.models import Alarm, Credential
from portal.venues.kraken.watching import calls

# People are told once for each of these, before it expires.
DAYS: Final = (1, 7, 30)


def look(credential: Credential) -> None:
    """Ask what it may do now. What differs from what was agreed to is an alarm (`inspection`), as is its end.

    Raises: as `inspection.look_again`; NoShare.
    """
    if credential.account_id is None:
        return
    calls.take_share(credential.account_id, key_info.METHOD)
    tell_of_its_end(inspection.look_again(credential.pk).credential)


def tell_of_its_end(credential: Credential) -> bool:
    """Raise an alarm if it expires within the days; whether that is new."""
    if credential.expires_at is None or credential.account is None:
        return False
    left = credential.expires_at - timezone.now()
    days = next((days for days in DAYS if left <= timedelta(days=days)), None)
    if days is None:
        return False
    at = dated(credential.expires_at)
    when = "has expired" if left <= timedelta(0) else f"expires within {counted(days, 'day')}, on {at} UTC"
    said = f"The credential {credential.label} of {credential.account.name} ({credential.short}) {when}. Replace it."
    subject = f"{credential.pk} {credential.expires_at:%Y-%m-%dT%H:%M} {days if left > timedelta(0) else 0}"
    kind = Alarm.Kind.CREDENTIAL_EXPIRING
    return raise_alarm(credential.account, kind, subject=subject, said=said, once=True)
