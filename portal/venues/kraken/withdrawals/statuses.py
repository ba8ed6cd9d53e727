"""How what the exchange took goes there: one question for all of an Account, more and more seldom."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from portal.core.errors import Unavailable
from portal.venues.kraken import calling
from portal.venues.kraken.credentials.finding import Usable, for_rest, for_withdrawals
from portal.venues.kraken.models import Step, Withdrawal
from portal.venues.kraken.upstream.outcomes import NotSent
from portal.venues.kraken.withdrawals import finding, outcomes
from portal.venues.kraken.withdrawals.fence import PAGE, rows_of
from portal.venues.kraken.withdrawals.matching import SKEW, Listed, listed
from portal.venues.kraken.withdrawals.rows import FINAL

LEDGER: Final = "query-ledger"
# By how long ago it was accepted: how soon it is asked after again.
PACES: Final = (
    (timedelta(minutes=2), timedelta(seconds=5)),
    (timedelta(hours=1), timedelta(seconds=30)),
    (timedelta(days=1), timedelta(minutes=5)),
    (timedelta(days=30), timedelta(hours=1)),
)
UNHEARD: Final = timedelta(seconds=30)


def refresh(account_id: int, pks: Sequence[int]) -> None:
    """Ask after these accepted ones, and write what the exchange says of each."""
    rows = list(Withdrawal.objects.filter(pk__in=pks, step=Step.ACCEPTED))
    if not rows:
        return
    start = min(row.accepted_at or row.held_at for row in rows) - SKEW
    try:
        found = {each.refid: each for each in _asked(account_id, start)}
    except Unavailable:
        Withdrawal.objects.filter(pk__in=[row.pk for row in rows]).update(look_at=timezone.now() + UNHEARD)
        return
    for row in rows:
        _note(row.pk, found.get(row.refid or ""))


def asking(account_id: int) -> Usable:
    """The credential that asks how withdrawals go: one of the rest that may, so that the one that sends is free for it.

    Raises: NotSent.
    """
    try:
        credential = for_rest(account_id, LEDGER)
    except NotSent:
        return for_withdrawals(account_id)
    return credential if LEDGER in credential.permissions else for_withdrawals(account_id)


def _asked(account_id: int, start: datetime) -> list[Listed]:
    """The newest page is enough: what is further back is old, and asked after again. Raises: Unavailable."""
    answer = calling.ask(asking(account_id), "WithdrawStatus", {"start": int(start.timestamp()), "limit": PAGE})
    if answer.errors:
        raise Unavailable(", ".join(answer.errors))
    rows, _ = rows_of(answer.decoded())
    return [each for each in map(listed, rows) if each is not None]


def _note(pk: int, found: Listed | None) -> None:
    now = timezone.now()
    with transaction.atomic():
        row = finding.locked(pk)
        if row.step != Step.ACCEPTED:
            return
        if found is not None:
            outcomes.note_listed(row, found)
        age = now - (row.accepted_at or row.held_at)
        pace = next((pace for until, pace in PACES if age < until), None)
        row.look_at = None if row.status in FINAL or pace is None else now + pace
        row.save(update_fields=["status", "status_prop", "txid", "status_at", "fee_units", "cancel_denied", "look_at"])
