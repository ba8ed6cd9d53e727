"""Calling a withdrawal back: here while nothing has left, at the exchange while that can."""

from typing import Final

from django.db import transaction

from portal.core.errors import Unavailable
from portal.venues.kraken import calling
from portal.venues.kraken.credentials.finding import for_withdrawals
from portal.venues.kraken.models import Step, Withdrawal
from portal.venues.kraken.upstream.outcomes import AnswerLost, Meaning, NotSent
from portal.venues.kraken.upstream.room import asking
from portal.venues.kraken.withdrawals import finding, tending

TAKEN_BACK: Final = "It was taken back before it was sent."
UNSAID: Final = "The exchange did not say whether it calls it back. Ask again."
# A repeat is told that there is nothing left to call back, which the first one's answer would have said too.
TRIES: Final = 2


def cancel(reference: str) -> bool:
    """See Venue.cancel_withdrawal."""
    row = finding.one(reference)
    if row.step == Step.INTENDED and _take_back(row.pk):
        tending.settle(row)
        return True
    row.refresh_from_db()
    if row.step in (Step.RELEASED, Step.REFUSED):
        return True
    if row.step != Step.ACCEPTED:
        # Nobody can call back what nobody knows to be there.
        return False
    is_called_back = _ask_exchange(row)
    status = {"status_prop": "cancel-pending"} if is_called_back else {"cancel_denied": True}
    Withdrawal.objects.filter(pk=row.pk, step=Step.ACCEPTED, status_prop=row.status_prop).update(**status)
    return is_called_back


def _take_back(pk: int) -> bool:
    with transaction.atomic():
        row = finding.locked(pk)
        # What may have been sent, by a backup or by people who say so, is looked for first.
        if row.step != Step.INTENDED or row.lost_at is not None:
            return False
        row.step, row.trouble, row.look_at = Step.REFUSED, TAKEN_BACK, None
        row.save(update_fields=["step", "trouble", "look_at"])
    return True


def _ask_exchange(row: Withdrawal) -> bool:
    """Whether the exchange calls it back, or tries to. Harmless to repeat. Raises: Unavailable."""
    words, was_lost = UNSAID, False
    for _ in range(TRIES):
        try:
            fields = {"asset": row.asset, "refid": row.refid}
            with asking(row.account_id):
                answer = calling.ask(for_withdrawals(row.account_id), "WithdrawCancel", fields)
        except AnswerLost:
            was_lost = True
            continue
        except NotSent as error:
            raise Unavailable(error.message) from error
        if not answer.errors:
            return was_lost or answer.decoded() is True
        words = f"The exchange says: {', '.join(answer.errors)}."
        if answer.meaning is Meaning.REFUSED:
            return was_lost
        if answer.meaning in (Meaning.CREDENTIAL, Meaning.LOCKOUT):
            break
    raise Unavailable(words)
