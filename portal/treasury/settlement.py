"""Writing into the history what became of money that was sent: arrived under which transaction, or failed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from policies.models import State
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.audit.record import Outcome, lock_history, record
from portal.core.actors import portal
from portal.core.money import from_units, plain
from portal.jobs.isolated_loop import each
from portal.treasury.models import Withdrawal
from portal.venues.registry import venue
from portal.venues.types import Stage

# Later than this no network that is known says anything new; a withdrawal is looked at until then.
LOOKED_AT_FOR: Final = timedelta(days=30)
AT_A_TIME: Final = 200
ENDS: Final[dict[Stage, tuple[EventKind, Outcome]]] = {
    Stage.SUCCESS: (EventKind.WITHDRAWAL_ARRIVED, "success"),
    Stage.FAILURE: (EventKind.WITHDRAWAL_BROKE, "failed"),
    Stage.RECALLED: (EventKind.WITHDRAWAL_BROKE, "failed"),
}
KINDS: Final = sorted({kind.value for kind, _ in ENDS.values()})


def tell_settled() -> int:
    """Record every end that was not recorded before, and say how many there were; harmless to repeat."""
    return each(_untold(), _tell, what="tell what became of a withdrawal")


def _untold() -> Iterator[Withdrawal]:
    """All of them, some at a time: old ones that get nowhere must not hide those that were sent after them."""
    since = timezone.now() - LOOKED_AT_FOR
    sent = Withdrawal.objects.filter(change__state=State.EXECUTED, change__ended_at__gt=since)
    # One Organization after the other: the history is found by Organization and kind.
    for organization_id in list(sent.order_by().values_list("organization", flat=True).distinct()):
        told = AuditEvent.objects.filter(organization=organization_id, kind__in=KINDS).values("subject_id")
        untold = sent.filter(organization=organization_id).exclude(pk__in=told).select_related("account", "change")
        last = 0
        while rows := list(untold.filter(pk__gt=last).order_by("pk")[:AT_A_TIME]):
            yield from rows
            last = rows[-1].pk


def _tell(withdrawal: Withdrawal) -> int:
    row = venue(withdrawal.account.venue).withdrawal(withdrawal.reference)
    if row.stage not in ENDS:
        return 0
    kind, outcome = ENDS[row.stage]
    with transaction.atomic():
        # Under the history's lock it is looked at again: two workers tell it once.
        lock_history(withdrawal.organization_id)
        told = AuditEvent.objects.filter(organization=withdrawal.organization_id, kind__in=KINDS)
        if told.filter(subject_id=withdrawal.pk).exists():
            return 0
        record(
            kind,
            actor=portal(withdrawal.organization_id),
            subject=withdrawal,
            organization_id=withdrawal.organization_id,
            workflow=Workflow.INITIATE_WITHDRAWAL,
            account_id=withdrawal.account_id,
            outcome=outcome,
            asset=withdrawal.asset,
            amount=plain(from_units(row.amount_units, row.asset.decimals)),
            key=row.destination.key,
            address=row.destination.address,
            transaction=row.txid or "",
            change=withdrawal.change.reference,
        )
    return 1
