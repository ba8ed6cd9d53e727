"""What an Account traded by day, for its fees."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import Sum

from portal.core.database.prepared import fetch
from portal.venues.paper import fees
from portal.venues.paper.orders.models import Trade, TradedDay

MORE: Final = """
    INSERT INTO paper_tradedday (account_id, "on", value_units) VALUES (%(account)s, %(on)s, %(units)s)
    ON CONFLICT (account_id, "on") DO UPDATE SET value_units = paper_tradedday.value_units + EXCLUDED.value_units
"""


def add(account_id: int, trades: Iterable[Trade]) -> None:
    """Count what the trades were worth, in one statement for each day."""
    days: Counter[date] = Counter()
    for trade in trades:
        days[trade.at.date()] += trade.value_units
    for on, units in sorted(days.items()):
        fetch(MORE, {"account": account_id, "on": connection.ops.adapt_datefield_value(on), "units": units})


def since(now: datetime) -> date:
    """The first of the thirty days, in UTC and today included, of which the fees go by what was traded."""
    return (now - fees.COUNTED + timedelta(days=1)).date()


def traded(account_id: int, now: datetime) -> int:
    """What the Account traded on those days, in units of the fees' currency."""
    days = TradedDay.objects.filter(account_id=account_id, on__gte=since(now))
    return days.aggregate(total=Sum("value_units"))["total"] or 0
