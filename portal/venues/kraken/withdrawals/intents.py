"""What is written before anything leaves: the hold, the intent, and their ends. Nobody is called here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from portal.core.errors import Conflict
from portal.core.money import from_units, plain
from portal.venues.errors import InsufficientFunds, TooLate
from portal.venues.kraken.models import Connection, Step, Withdrawal
from portal.venues.kraken.withdrawals import finding
from portal.venues.types import Balance, Destination, WithdrawalMethod

# Nothing of it has left, or ever will.
UNSENT: Final = (Step.HELD, Step.INTENDED, Step.REFUSED)
NO_CONNECTION: Final = "This Account is not connected to its exchange."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be held: `max_fee_units` of `amount_units` is the most that the exchange may take."""

    account_id: int
    reference: str
    request: str
    method: WithdrawalMethod
    amount_units: int
    max_fee_units: int
    destination: Destination


def first_answer(wanted: Wanted) -> Withdrawal | None:
    """The withdrawal that the same reference held before. Raises: Conflict if that was another one."""
    first = Withdrawal.objects.filter(reference=wanted.reference).first()
    if first is None:
        return None
    to = Destination(first.key, first.address, first.method, first.network, first.memo)
    if (first.account_id, first.asset, first.amount_units, to) != (
        wanted.account_id,
        wanted.method.asset.id,
        wanted.amount_units,
        wanted.destination,
    ):
        raise Conflict("The reference belongs to another withdrawal.")
    return first


def lock_holds(account_id: int) -> None:
    """Hold one thing of the Account at a time, until the transaction ends. On SQLite the transaction is the lock.

    Raises: Conflict if the Account is at no exchange.
    """
    rows = Connection.objects.select_for_update(no_key=True).filter(account=account_id, disconnected_at=None)
    if rows.values_list("pk", flat=True).first() is None:
        raise Conflict(NO_CONNECTION)


def hold(wanted: Wanted, balances: Sequence[Balance]) -> Withdrawal:
    """Keep the amount for its reference, as far as these balances, less all holds, suffice. The lock is held.

    The exchange does not know of it: money that is traded away meanwhile is not there when it is sent (DESIGN V2).

    Raises: InsufficientFunds.
    """
    asset = wanted.method.asset
    free = sum(row.units - row.held_by_orders_units for row in balances if row.asset.id == asset.id)
    if free < wanted.amount_units:
        said = plain(from_units(max(0, free), asset.decimals))
        raise InsufficientFunds(f"The Account has {said} {asset.code} free.", field="amount")
    to = wanted.destination
    row = Withdrawal(
        account_id=wanted.account_id,
        reference=wanted.reference,
        request=wanted.request,
        asset=asset.id,
        decimals=asset.decimals,
        amount_units=wanted.amount_units,
        max_fee_units=wanted.max_fee_units,
        fee_units=wanted.max_fee_units,
        key=to.key,
        address=to.address,
        method=to.method,
        network=to.network,
        memo=to.memo,
        held_at=timezone.now(),
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        first = first_answer(wanted)
        if first is None:
            raise
        return first
    return row


def intend(reference: str) -> Withdrawal:
    """Write that it is to be sent, in the transaction of the last approval; a repeat gives the first answer.

    Raises: UnknownReference; TooLate if it was given back.
    """
    with transaction.atomic():
        row = finding.locked_by_reference(reference)
        if row.step == Step.RELEASED:
            raise TooLate("The withdrawal was released before it could be sent.")
        if row.step == Step.HELD:
            row.step, row.intended_at = Step.INTENDED, timezone.now()
            row.save(update_fields=["step", "intended_at"])
    return row


def release(reference: str) -> Withdrawal:
    """Give a hold back, once; a repeat gives the first answer.

    Raises: UnknownReference; TooLate if it was sent, or may have been.
    """
    with transaction.atomic():
        row = finding.locked_by_reference(reference)
        if row.step != Step.RELEASED:
            if row.step not in UNSENT:
                raise TooLate("The withdrawal has been sent, or may have been.")
            row.step, row.released_at, row.look_at = Step.RELEASED, timezone.now(), None
            row.save(update_fields=["step", "released_at", "look_at"])
    return row


def release_all(references: Sequence[str]) -> int:
    """Give back what can be of these, under their locks; say how many that were."""
    with transaction.atomic():
        rows = Withdrawal.objects.select_for_update(no_key=True).filter(reference__in=references, step__in=UNSENT)
        pks = list(rows.order_by("pk").values_list("pk", flat=True))
        Withdrawal.objects.filter(pk__in=pks).update(step=Step.RELEASED, released_at=timezone.now(), look_at=None)
    return len(pks)


def doubt(account_id: int) -> int:
    """Take all that has not left for what may have: a backup knows nothing of what was sent after it."""
    rows = Withdrawal.objects.filter(account=account_id, step__in=(Step.HELD, Step.INTENDED))
    # Said twice it counts from the first time: what was agreed to in between may have been sent before that.
    rows.filter(lost_at=None).update(lost_at=timezone.now())
    return rows.count()
