"""Withdrawals on their way to exchanges, and alarms that are open, counted for the operator in two statements."""

from typing import TypeAlias

from django.db.models import Count, QuerySet

from portal.venues.kraken.models import Alarm, Withdrawal
from portal.venues.standing import STEPS, Standing

Rows: TypeAlias = "QuerySet[Withdrawal] | QuerySet[Alarm]"


def standing() -> Standing:
    """Of all Accounts together; both are few, and have an index of their own."""
    return Standing(
        withdrawals=_counted(Withdrawal.objects.filter(step__in=STEPS), "step"),
        alarms=_counted(Alarm.objects.filter(acknowledged_at=None), "kind"),
    )


def _counted(rows: Rows, column: str) -> dict[str, int]:
    return dict(rows.order_by().values_list(column).annotate(count=Count("pk")))
