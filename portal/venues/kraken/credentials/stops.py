"""Stopping a credential that the exchange refuses: at once and for all processes, until somebody tries it again."""

from typing import Final

from django.utils import timezone

from portal.venues.kraken import alarms
from portal.venues.kraken.models import TROUBLE_LENGTH, Alarm, Credential, Purpose
from portal.venues.kraken.upstream.envelope import Answer
from portal.venues.kraken.upstream.outcomes import Meaning

PERMISSION: Final = "EGeneral:Permission denied"


def note(credential_id: int, answer: Answer) -> None:
    """Stop the credential if the answer says that the exchange does not take it any more.

    A bot that asks for what the credential for everything else was never given stops nothing: its answer says so. One
    that is stopped already stays so since then, with what the exchange said last.
    """
    if answer.meaning not in (Meaning.CREDENTIAL, Meaning.LOCKOUT):
        return
    row = Credential.objects.select_related("account").get(pk=credential_id)
    if row.purpose == Purpose.REST and all(error.startswith(PERMISSION) for error in answer.errors):
        return
    because = ", ".join(answer.errors)[:TROUBLE_LENGTH]
    now = timezone.now()
    active = Credential.objects.filter(pk=row.pk, removed_at=None)
    stopped = active.filter(stopped_at=None).update(stopped_at=now, stopped_because=because)
    if not stopped:
        active.update(stopped_because=because)
    if stopped and row.account is not None:
        alarms.raise_alarm(
            row.account,
            Alarm.Kind.STOPPED,
            subject=row.public,
            said=f"The exchange refused the credential {row.label} of {row.account.name}: {because}. "
            "Nothing is sent with it until somebody tries it again.",
        )
