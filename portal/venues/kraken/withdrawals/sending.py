"""Sending what was agreed to: the intent first, then its nonce, then the call; at most once (DESIGN V2, R8)."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from policies import changes, freezes
from portal.audit.record import lock_history
from portal.core.errors import DomainError
from portal.core.money import from_units
from portal.venues.kraken import calling
from portal.venues.kraken.addresses import listing
from portal.venues.kraken.credentials.finding import STOPPED, Usable
from portal.venues.kraken.models import Step, Withdrawal
from portal.venues.kraken.upstream.envelope import Answer
from portal.venues.kraken.upstream.outcomes import AnswerLost, Meaning, NotSent, meaning
from portal.venues.kraken.withdrawals import fence, finding, outcomes
from portal.venues.types import Destination

# How long its answer is waited for.
SECONDS: Final = 20.0
# What cannot be sent now is tried again after so long.
AGAIN: Final = timedelta(seconds=10)
# Another one that could be taken for it is in flight.
BEHIND: Final = timedelta(seconds=2)
NOT_AGREED: Final = "Its request is not approved any more, or not yet again."
ALIKE: Final = "Another one alike was sent, and it is not known yet what became of it. It waits for that."
DIED: Final = "Whoever sent it has ended without an answer."
NO_REFERENCE: Final = "The exchange answered without a reference."
DEFINITE: Final = frozenset({Meaning.REFUSED, Meaning.CREDENTIAL})
NOT_DONE: Final = DEFINITE | {Meaning.NOT_DONE, Meaning.LOCKOUT}


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt, as it was written before it is made."""

    pk: int
    nonce: int
    fields: dict[str, str]


def send(pk: int, credential: Usable) -> None:
    """Send it if it is still to be sent, and write what came, in the credential's lane, which the caller holds.

    An answer that says nothing for certain is followed by a look at once, in the same lane.
    """
    if _was_sent_before(pk):
        if not _is_nowhere(pk, credential):
            return
        _stand_again(pk)
    call = _begin(pk, credential)
    if call is None:
        return
    try:
        answer = calling.ask_in_lane(credential, "Withdraw", call.fields, nonce=call.nonce, seconds=SECONDS)
    except NotSent as error:
        outcomes.not_sent(pk, error.message, nonce=call.nonce, again=AGAIN)
    except AnswerLost as error:
        outcomes.lost(pk, error.message, nonce=call.nonce)
    else:
        _conclude(call, answer)
    row = Withdrawal.objects.get(pk=pk)
    if row.step == Step.LOST:
        fence.look([row], credential)


def give_up_abandoned(account_id: int, credential_id: int) -> None:
    """Whoever holds the lane finds as being sent only what its sender has died over: its answer is lost."""
    rows = Withdrawal.objects.filter(account=account_id, credential=credential_id, step=Step.SENDING)
    for pk, nonce in list(rows.values_list("pk", "nonce")):
        outcomes.lost(pk, DIED, nonce=nonce)


def _begin(pk: int, credential: Usable) -> Call | None:
    """Write that it is being sent, and under which nonce, before anything leaves; None if it may not."""
    with transaction.atomic():
        # Whoever freezes holds it too: what is not written as being sent by then is not sent while that lasts.
        lock_history(finding.organization_of(pk))
        row = finding.locked(pk)
        if row.step != Step.INTENDED:
            return None
        if not finding.is_agreed(row):
            outcomes.postponed(pk, NOT_AGREED, again=AGAIN)
            return None
        if frozen := freezes.of_request(row.request):
            outcomes.postponed(pk, frozen.words, again=AGAIN)
            return None
        if trouble := _drift(row):
            outcomes.postponed(pk, trouble, again=AGAIN)
            return None
        if finding.alike_in_flight(row):
            outcomes.postponed(pk, ALIKE, again=BEHIND)
            return None
        nonce = credential.next_nonce()
        if nonce is None:
            outcomes.postponed(pk, STOPPED, again=AGAIN)
            return None
        row.step, row.nonce, row.credential_id = Step.SENDING, nonce, credential.id
        row.sent_at, row.attempts = timezone.now(), row.attempts + 1
        row.trouble, row.look_at, row.lost_at, row.looks, row.is_not_done = "", None, None, 0, False
        row.save()
    return Call(pk, nonce, _fields(row))


def _drift(row: Withdrawal) -> str:
    """Why nothing may be sent there, by what the exchange last listed of its own book."""
    target = Destination(row.key, row.address, row.method, row.network, row.memo)
    return listing.last_said_of(row.account_id).trouble_with(target)


def _fields(row: Withdrawal) -> dict[str, str]:
    """With the approved address and the approved ceiling, so that what changed at the exchange fails instead."""
    return {
        "asset": row.asset,
        "key": row.key,
        "amount": f"{from_units(row.amount_units, row.decimals):f}",
        "address": row.address,
        "max_fee": f"{from_units(row.max_fee_units, row.decimals):f}",
    }


def _conclude(call: Call, answer: Answer) -> None:
    words = ", ".join(answer.errors)
    if not answer.errors:
        refid = _refid(answer)
        if not refid or not outcomes.accepted(call.pk, refid, nonce=call.nonce):
            outcomes.lost(call.pk, NO_REFERENCE, nonce=call.nonce)
    elif _meanings(answer) <= DEFINITE and not _refid(answer):
        outcomes.refused(call.pk, words, nonce=call.nonce)
    else:
        is_not_done = _meanings(answer) <= NOT_DONE and not _refid(answer)
        outcomes.lost(call.pk, words, nonce=call.nonce, is_not_done=is_not_done)


def _meanings(answer: Answer) -> set[Meaning]:
    """Of each error apart: one that is doubtful leaves it open, whatever stands beside it."""
    return {meaning((error,)) for error in answer.errors}


def _refid(answer: Answer) -> str:
    try:
        result: Any = answer.decoded()
    except AnswerLost:
        return ""
    refid = result.get("refid") if isinstance(result, dict) else None
    return refid if isinstance(refid, str) else ""


def _was_sent_before(pk: int) -> bool:
    """Whether it may have been: people said of a lost one that it did not go out, or a backup was restored."""
    return Withdrawal.objects.filter(pk=pk, step=Step.INTENDED, lost_at__isnull=False).exists()


def _stand_again(pk: int) -> None:
    """It is known not to have gone out. Whoever may not ask any more, or agrees no more, was not heard before that."""
    with transaction.atomic():
        row = finding.locked(pk)
        if row.step == Step.INTENDED:
            row.lost_at = None
            row.save(update_fields=["lost_at"])
    with suppress(DomainError):
        changes.execute(row.request)


def _is_nowhere(pk: int, credential: Usable) -> bool:
    """Look before it is sent after all. What turns up meanwhile is adopted, or is for people again."""
    row = Withdrawal.objects.get(pk=pk)
    at, nonce = timezone.now(), credential.next_nonce()
    try:
        found = fence.every_row(credential, fence.since(row), nonce)
    except fence.NotHeard as unheard:
        outcomes.postponed(pk, str(unheard), again=AGAIN)
        return False
    if not fence.those_that_could_be(row, found):
        return True
    outcomes.doubted(pk, nonce=nonce, credential_id=credential.id)
    fence.conclude(row, found, at=at, nonce=nonce, is_fenced=True)
    return False
