"""Addresses of an Account's book that the exchange lists otherwise than they were agreed to, or no more."""

import hashlib
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from portal.venues.kraken.addresses import listing
from portal.venues.kraken.alarms import raise_alarm
from portal.venues.kraken.models import Alarm
from portal.venues.kraken.watch_models import Watch
from portal.venues.types import Destination

PART = "book"


def watch(account_id: int, destinations: Sequence[Destination]) -> int:
    """Compare these with what was last listed; raise an alarm for each that is in new trouble. How many those are.

    What was never listed as it is here waits to be added there, and is no news; what was, and is no more, is. A name
    that leads elsewhere is news in any case.
    """
    raised = 0
    with transaction.atomic():
        Watch.objects.bulk_create([Watch(account_id=account_id, part=PART)], ignore_conflicts=True)
        # Whoever compares holds this row, so that two do not tell the same.
        look = Watch.objects.select_for_update().get(account=account_id, part=PART)
        said = listing.last_said([account_id])[account_id]
        if said.read_at is None:
            return 0
        now = {_fingerprint(each): (each, said.trouble_with(each)) for each in destinations}
        for fingerprint, (destination, trouble) in now.items():
            before = look.known.get(fingerprint)
            was_well = before is not None or bool(said.contradiction(destination))
            if trouble and trouble != before and was_well:
                raised += _tell(account_id, destination, trouble)
        look.known = {fingerprint: trouble for fingerprint, (_, trouble) in now.items()}
        look.looked_at = timezone.now()
        look.save(update_fields=["known", "looked_at"])
    return raised


def _tell(account_id: int, destination: Destination, trouble: str) -> int:
    account = Account.objects.get(pk=account_id)
    subject = f"{destination.key} {hashlib.sha256(trouble.encode()).hexdigest()[:16]}"
    said = f"{trouble} Nothing is sent from {account.name} to {destination.key} until it is as it was agreed to again."
    return int(raise_alarm(account, Alarm.Kind.ADDRESS_DRIFT, subject=subject, said=said))


def _fingerprint(destination: Destination) -> str:
    parts = (destination.key, destination.method, destination.address, destination.memo)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
