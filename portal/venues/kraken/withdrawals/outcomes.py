"""Writing what became of a withdrawal that was sent: each move under the row's lock, after looking again."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Account
from portal.core.money import from_units, plain
from portal.venues.kraken import alarms
from portal.venues.kraken.models import TROUBLE_LENGTH, Alarm, Step, Withdrawal
from portal.venues.kraken.reading.catalogue import code_of
from portal.venues.kraken.withdrawal_rows import REFID_LENGTH
from portal.venues.kraken.withdrawals import finding
from portal.venues.kraken.withdrawals.matching import Listed

# After a lost answer it is looked for at once and so much later; then it is for people.
LOOKS: Final = (timedelta(seconds=60), timedelta(seconds=120), timedelta(minutes=10))
GIVEN_UP: Final = LOOKS[-1]
# What nobody knows is looked for all the same, less and less.
LATE_LOOKS: Final = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24), timedelta(hours=72))
# Of the time that it has been lost: how long the next look waits that may not be heard either.
PARTS: Final = 20
# When to ask how an accepted one goes.
FIRST_STATUS: Final = timedelta(seconds=2)
ASK_AGAIN: Final = "Nothing was sent; ask again."


def accepted(pk: int, refid: str, *, nonce: int) -> bool:
    """The exchange answered with its reference; that stands whoever has given the call up meanwhile."""
    with transaction.atomic():
        row = finding.locked(pk)
        if row.nonce != nonce or row.step not in finding.IN_FLIGHT:
            return False
        return _accept(row, refid)


def adopted(pk: int, found: Listed) -> bool:
    """It was found in the exchange's list. False if somebody said meanwhile what became of it."""
    with transaction.atomic():
        row = finding.locked(pk)
        if row.step not in (Step.LOST, Step.UNKNOWN) or finding.known_refids([found.refid], but=pk):
            return False
        note_listed(row, found)
        return _accept(row, found.refid)


def refused(pk: int, words: str, *, nonce: int) -> None:
    """The exchange did not take it, by a rule of its own."""
    with transaction.atomic():
        row = finding.locked(pk)
        if row.step == Step.SENDING and row.nonce == nonce:
            _write(row, step=Step.REFUSED, trouble=words[:TROUBLE_LENGTH], look_at=None)


def lost(pk: int, words: str, *, nonce: int | None, is_not_done: bool = False) -> None:
    """Nobody knows whether it was done; `is_not_done`: the exchange says that it was not, which one look bears out."""
    now = timezone.now()
    with transaction.atomic():
        row = finding.locked(pk)
        if row.step == Step.SENDING and row.nonce == nonce:
            _write(
                row,
                step=Step.LOST,
                trouble=words[:TROUBLE_LENGTH],
                is_not_done=is_not_done,
                lost_at=now,
                look_at=now,
                looks=0,
            )


def not_sent(pk: int, words: str, *, nonce: int, again: timedelta) -> None:
    """No connection came about, so nothing has left: it is tried again later, under a new nonce."""
    with transaction.atomic():
        row = finding.locked(pk)
        if row.step == Step.SENDING and row.nonce == nonce:
            _write(row, step=Step.INTENDED, trouble=words[:TROUBLE_LENGTH], look_at=timezone.now() + again)


def postponed(pk: int, words: str, *, again: timedelta) -> None:
    """It cannot be sent now. Nothing was written of it but why."""
    waiting = Withdrawal.objects.filter(pk=pk, step=Step.INTENDED)
    waiting.update(trouble=words[:TROUBLE_LENGTH], look_at=timezone.now() + again)


def not_found(pk: int, *, several: bool) -> None:
    """A look has heard the exchange and leaves it open: it is not listed, or more than one is that could be it."""
    now = timezone.now()
    with transaction.atomic():
        row = finding.locked(pk)
        if row.step not in (Step.LOST, Step.UNKNOWN) or row.lost_at is None:
            return
        if row.is_not_done and row.step == Step.LOST and not several:
            _write(row, step=Step.REFUSED, trouble=f"{row.trouble}. {ASK_AGAIN}"[:TROUBLE_LENGTH], look_at=None)
            return
        looks = row.looks + 1
        is_over = several or row.step == Step.UNKNOWN or now >= row.lost_at + GIVEN_UP
        step = Step.UNKNOWN if is_over else Step.LOST
        _write(row, step=step, looks=looks, look_at=_next_look(row.lost_at, now))
        _tell(row, now)


def not_heard(pk: int, *, again: timedelta) -> None:
    """A look that did not hear the exchange teaches nothing: it is done again. After ten minutes people are told."""
    now = timezone.now()
    with transaction.atomic():
        row = finding.locked(pk)
        if row.step not in (Step.LOST, Step.UNKNOWN) or row.lost_at is None:
            return
        is_over = now >= row.lost_at + GIVEN_UP
        # What stays unheard for long is asked less and less.
        pause = max(again, (now - row.lost_at) / PARTS) if is_over else again
        _write(row, step=Step.UNKNOWN if is_over else row.step, look_at=now + pause)
        _tell(row, now)


def doubted(pk: int, *, nonce: int | None, credential_id: int | None) -> None:
    """It was to be sent, and the exchange lists what could be it after all: it was sent before, or before a restore.

    `nonce` and credential are those of the look, for what by our books was never sent.
    """
    with transaction.atomic():
        row = finding.locked(pk)
        if row.step != Step.INTENDED or row.lost_at is None:
            return
        if row.nonce is None:
            _write(row, nonce=nonce, credential_id=credential_id, sent_at=row.intended_at, attempts=1)
        _write(row, step=Step.UNKNOWN)


def said_to_have_gone(pk: int, refid: str) -> bool:
    """People say that it went out under that reference. False if it is known by now; the caller holds a transaction."""
    row = finding.locked(pk)
    return row.step == Step.UNKNOWN and not finding.known_refids([refid], but=pk) and _accept(row, refid)


def said_to_be_sent_again(pk: int) -> bool:
    """People say that it did not go out: the intent stands again. It is looked for once more before it is sent."""
    row = finding.locked(pk)
    if row.step != Step.UNKNOWN:
        return False
    _write(row, step=Step.INTENDED, look_at=None, alarmed_at=None, trouble="")
    return True


def said_to_be_given_up(pk: int, words: str) -> bool:
    """People say that it did not go out, and should not any more."""
    row = finding.locked(pk)
    if row.step != Step.UNKNOWN:
        return False
    _write(row, step=Step.REFUSED, look_at=None, trouble=words[:TROUBLE_LENGTH])
    return True


def note_listed(row: Withdrawal, found: Listed) -> None:
    """What the exchange says of it now; its fee only where that is one, and no more than was agreed to."""
    row.status, row.status_prop, row.txid = found.status[:20], found.status_prop[:20], found.txid[:200]
    row.status_at = timezone.now()
    units = found.fee.scaleb(row.decimals)
    if units == units.to_integral_value() and 0 <= units <= row.max_fee_units:
        row.fee_units = int(units)
    if found.status_prop == "cancel-denied":
        row.cancel_denied = True


def _accept(row: Withdrawal, refid: str) -> bool:
    if not refid or len(refid) > REFID_LENGTH:
        return False
    row.step, row.refid, row.accepted_at = Step.ACCEPTED, refid, timezone.now()
    row.trouble, row.look_at, row.is_not_done = "", row.accepted_at + FIRST_STATUS, False
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        # Another withdrawal of the Account has that reference: it cannot be this one's.
        return False
    return True


def _next_look(lost_at: datetime, now: datetime) -> datetime | None:
    return next((lost_at + wait for wait in (*LOOKS, *LATE_LOOKS) if lost_at + wait > now), None)


def _tell(row: Withdrawal, now: datetime) -> None:
    """Raise the alarm once, when nobody has known for ten minutes."""
    if row.alarmed_at is not None or row.lost_at is None or now < row.lost_at + GIVEN_UP:
        return
    _write(row, alarmed_at=now)
    account = Account.objects.get(pk=row.account_id)
    amount = plain(from_units(row.amount_units, row.decimals))
    alarms.raise_alarm(
        account,
        Alarm.Kind.UNKNOWN_WITHDRAWAL,
        subject=row.reference,
        said=f"Nobody knows whether the exchange has the withdrawal {row.reference} of {amount} {code_of(row.asset)} "
        f"to {row.key} from {account.name}. It is not sent again by itself: somebody has to say what became of it.",
    )


def _write(row: Withdrawal, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    row.save(update_fields=list(fields))
