"""How the watcher stands: when it last looked at each thing, and what it could not look at, for people to know."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from accounts.models import Account, Member
from policies.access import granted
from policies.workflows import Right, Workflow
from portal.venues.kraken.addresses import listing
from portal.venues.kraken.models import Connection, Credential
from portal.venues.kraken.watch_models import Watch
from portal.venues.kraken.watching import ledger, rounds, withdrawals

WORDS: Final = {
    withdrawals.PART: "Withdrawals",
    ledger.PART: "Ledger",
    listing.PART: "Addresses",
}
# So many intervals without a look are too many.
LATE: Final = 3
NO_WORKER: Final = "It is overdue. Ask the operator whether the portal's worker runs."
STOPPED: Final = "It is stopped: nothing is asked with it."


@dataclass(frozen=True, slots=True)
class Standing:
    """One thing that is looked at. `trouble` says why it was not of late; empty where all is well."""

    account: Account
    what: str
    looked_at: datetime | None
    trouble: str


def standing(member: Member) -> list[Standing]:
    """Of every connected Account whose withdrawals the member may view, in three statements."""
    accounts = [connection.account for connection in _connections(member)]
    watches = {(row.account_id, row.part): row for row in Watch.objects.filter(account__in=accounts)}
    credentials = Credential.objects.filter(account__in=accounts, activated_at__isnull=False, removed_at=None)
    found = []
    for account in accounts:
        looks = [(part, words, rounds.EVERY[part], True) for part, words in WORDS.items()]
        looks += [
            (rounds.part_of(row), f"Credential {row.label}", rounds.EVERY_CREDENTIAL, row.stopped_at is None)
            for row in credentials
            if row.account_id == account.pk
        ]
        for part, what, interval, goes in looks:
            watch = watches.get((account.pk, part))
            looked_at = watch.looked_at if watch else None
            trouble = _trouble(watch, interval) if goes else STOPPED
            found.append(Standing(account, what, looked_at, trouble))
    return found


def _trouble(watch: Watch | None, interval: timedelta) -> str:
    if watch is None or watch.looked_at is None:
        return ""
    if watch.trouble:
        return watch.trouble
    return NO_WORKER if timezone.now() > watch.looked_at + LATE * max(interval, timedelta(minutes=5)) else ""


def _connections(member: Member) -> Iterable[Connection]:
    money = Workflow.INITIATE_WITHDRAWAL
    places = {account_id for workflow, right, account_id in granted(member) if workflow == money and right in Right}
    rows = Connection.objects.filter(disconnected_at=None, account__organization=member.organization_id)
    if None not in places:
        rows = rows.filter(account__in=[place for place in places if place is not None])
    return rows.select_related("account").order_by("account__name")
