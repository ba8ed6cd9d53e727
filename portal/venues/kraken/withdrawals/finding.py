"""What is still to be done about withdrawals, and who answers for each."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from policies.models import ChangeRequest, State
from portal.venues.errors import UnknownReference
from portal.venues.kraken.models import Step, Withdrawal

IN_FLIGHT = (Step.SENDING, Step.LOST, Step.UNKNOWN)


def due(now: datetime) -> list[tuple[int, int]]:
    """Each with its Account, oldest first: to be sent, given up, looked for, or asked after by now."""
    is_time = Q(look_at=None) | Q(look_at__lte=now)
    to_do = (
        Q(step=Step.SENDING) | Q(is_time, step=Step.INTENDED) | Q(look_at__lte=now, step__in=(Step.LOST, Step.UNKNOWN))
    )
    to_do |= Q(look_at__lte=now, step=Step.ACCEPTED)
    return list(Withdrawal.objects.filter(to_do).order_by("pk").values_list("pk", "account_id"))


def one(reference: str) -> Withdrawal:
    """Raises: UnknownReference."""
    row = Withdrawal.objects.filter(reference=reference).first()
    if row is None:
        raise UnknownReference("There is no such withdrawal.")
    return row


def organization_of(pk: int) -> int:
    """Whose it is."""
    found: int = Withdrawal.objects.values_list("account__organization_id", flat=True).get(pk=pk)
    return found


def locked(pk: int) -> Withdrawal:
    """As the database has it now, until the transaction ends."""
    return Withdrawal.objects.select_for_update(no_key=True).get(pk=pk)


def locked_by_reference(reference: str) -> Withdrawal:
    """The same. Raises: UnknownReference."""
    row = Withdrawal.objects.select_for_update(no_key=True).filter(reference=reference).first()
    if row is None:
        raise UnknownReference("There is no such withdrawal.")
    return row


def is_agreed(row: Withdrawal) -> bool:
    """Whether the request that it is sent for is approved now, and waits for no time that rules ask for by now (P7)."""
    change = ChangeRequest.objects.filter(reference=row.request, state=State.APPROVED).first()
    return change is not None and not change.is_delayed


def alike_in_flight(row: Withdrawal) -> bool:
    """Whether another one that could be taken for it was sent, and nobody knows yet what became of it."""
    alike = Withdrawal.objects.filter(
        account=row.account_id, asset=row.asset, key=row.key, amount_units=row.amount_units, step__in=IN_FLIGHT
    )
    return alike.exclude(pk=row.pk).exists()


def known_refids(refids: Sequence[str], *, but: int) -> set[str]:
    """Those of these references of the exchange that are other withdrawals, of whatever Account."""
    rows = Withdrawal.objects.filter(refid__in=refids).exclude(pk=but)
    return {refid for refid in rows.values_list("refid", flat=True) if refid}
