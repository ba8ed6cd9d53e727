"""Acknowledging an alarm: somebody who answers for the money says that they know."""

from django.db import transaction
from django.utils import timezone

from accounts.models import Member
from policies.access import lacking
from policies.workflows import Right
from portal.audit.kinds import EventKind
from portal.audit.record import appending, record
from portal.core.errors import NotFound, Refused
from portal.venues.kraken.alarms import reach
from portal.venues.kraken.models import Alarm


def acknowledge(alarm_id: int, *, member: Member) -> Alarm:
    """Take the alarm off every page; of two who do so the first is remembered, and the second finds it done.

    Raises: NotFound if the member may not see such an alarm; Refused if they neither approve nor ask there.
    """
    with transaction.atomic(), appending(member.organization_id):
        # Looked at under the history's lock, which whoever acknowledges holds.
        alarm = reach.seen_by(member.pk, member.organization_id).select_related("account").filter(pk=alarm_id).first()
        if alarm is None:
            raise NotFound("There is no such alarm.")
        if not reach.may_acknowledge(member, alarm):
            raise Refused(lacking(reach.workflows_of(alarm)[-1], Right.APPROVE, Right.INITIATE))
        if alarm.acknowledged_at is not None:
            return alarm
        alarm.acknowledged_at, alarm.acknowledged_by = timezone.now(), member.label
        alarm.save(update_fields=["acknowledged_at", "acknowledged_by"])
        record(
            EventKind.ALARM_ACKNOWLEDGED,
            actor=member,
            subject=alarm,
            workflow=reach.workflows_of(alarm)[-1],
            account_id=alarm.account_id,
            said=alarm.said,
        )
    return alarm
