"""What left and what is held, added up for any number of scopes and windows by one statement (DESIGN P7).

Each row is told by what it shares with the withdrawal in question and by the shortest window that it lies in, so a
handful of groups holds every sum that can be asked.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from accounts.models import Account
from policies.rules.language import Scope, SumOf, Window
from portal.treasury.measures.values import PricesNow, in_currency

# SQLite adds whole numbers of 64 bits: the two parts of a value cannot leave that range.
PART: Final = 10**9
WINDOWS: Final = tuple(sorted(Window, key=lambda window: window.length))
HELD: Final = 0
# In the order in which the statement tells them.
SCOPES: Final = (Scope.ASSET, Scope.ACCOUNT, Scope.DESTINATION, Scope.INITIATOR)


def counted_rows(*besides: str) -> str:
    """What was executed since then, and what is held: of each what it is equal in, its value or none, and its window.

    And of each the columns `besides`: what is not read need not be.
    """
    also = "".join(f"{name}, " for name in besides)
    also_held = "".join(f"held.{name}, " for name in besides)
    return f"""
    SELECT asset, account_id, destination, initiator, value_hundredths AS value, amount_units AS units,
        {also}CASE WHEN sent_at >= %(within_1)s THEN 1 WHEN sent_at >= %(within_2)s THEN 2
            WHEN sent_at >= %(within_3)s THEN 3 ELSE 4 END AS reach
    FROM treasury_withdrawal
    WHERE organization_id = %(organization)s AND sent_at >= %(since)s AND change_id <> %(itself)s
    UNION ALL
    SELECT held.asset, held.account_id, held.destination, held.initiator, held.value_hundredths, held.amount_units,
        {also_held}{HELD}
    FROM treasury_withdrawal held JOIN policies_changerequest ON policies_changerequest.id = held.change_id
    WHERE held.organization_id = %(organization)s AND held.sent_at IS NULL AND held.released_at IS NULL
        AND held.change_id <> %(itself)s AND (
            policies_changerequest.state = 'approved'
            OR (policies_changerequest.state = 'pending' AND policies_changerequest.expires_at > %(now)s)
            OR (policies_changerequest.state = 'executed' AND policies_changerequest.ended_at >= %(since)s)
        )
"""  # noqa: S608  (names and whole numbers of ours)


TOTALS: Final = f"SUM(value / {PART}), SUM(value %% {PART}), SUM(units / {PART}), SUM(units %% {PART})"
# What a node of a version before wrote without saying where to or by whom is counted into every such sum.
STATEMENT: Final = f"""SELECT asset = %(asset)s, account_id = %(account)s,
        destination IN (%(destination)s, ''), initiator IN (%(initiator)s, ''), reach,
        CASE WHEN value IS NULL THEN account_id END, CASE WHEN value IS NULL THEN asset END, {TOTALS}
    FROM ({counted_rows()}) AS counted
    GROUP BY 1, 2, 3, 4, 5, 6, 7
"""  # noqa: S608  (whole numbers of ours)


@dataclass(frozen=True, slots=True)
class Counted:
    """The withdrawal whose sums are asked. `change_id`: its own request, which has counted nowhere yet; 0 without."""

    organization_id: int
    currency: str
    account_id: int
    asset: str
    destination: str
    initiator: str
    value: Decimal
    change_id: int = 0


@dataclass(frozen=True, slots=True)
class _Group:
    """Earlier withdrawals alike: what they share with the one in question, how far back, and their total worth."""

    shared: frozenset[Scope]
    reach: int
    total: Decimal


def sums_of(counted: Counted, sums: Collection[SumOf]) -> dict[SumOf, Decimal]:
    """The totals, the withdrawal itself included: so none is below its own value. One statement.

    A second one where earlier ones have no value of their own: they count at what their asset is worth now, and as
    infinite where nobody knows that.
    """
    groups = _groups(counted, max((each.window.length for each in sums), default=Window.HOUR.length))
    return {
        each: counted.value
        + sum(
            (group.total for group in groups if _reaches(each.window, group) and group.shared.issuperset(each.scope)),
            Decimal(0),
        )
        for each in sums
    }


def _reaches(window: Window, group: _Group) -> bool:
    return group.reach <= 1 + WINDOWS.index(window)


def _groups(counted: Counted, longest: timedelta) -> list[_Group]:
    asked = {
        **bounds(counted.organization_id, longest, itself=counted.change_id),
        "asset": counted.asset,
        "account": counted.account_id,
        "destination": counted.destination,
        "initiator": counted.initiator,
    }
    with connection.cursor() as cursor:
        cursor.execute(STATEMENT, asked)
        rows = cursor.fetchall()
    unvalued = {row[5] for row in rows if row[5] is not None}
    accounts = Account.objects.filter(pk__in=unvalued).values_list("pk", "venue") if unvalued else ()
    prices = PricesNow(counted.currency, dict(accounts))
    return [_group(row, prices) for row in rows]


def bounds(organization_id: int, longest: timedelta, *, itself: int = 0) -> dict[str, str | int]:
    """What `counted_rows` are asked with: whose withdrawals, how far back, and which request counts nowhere."""
    now = timezone.now()

    def at(moment: datetime) -> str:
        return str(connection.ops.adapt_datetimefield_value(moment))

    within = {f"within_{place}": at(now - window.length) for place, window in enumerate(WINDOWS[:3], start=1)}
    return {
        "organization": organization_id,
        "itself": itself,
        "now": at(now),
        "since": at(now - longest),
        **within,
    }


def total(high: int | None, low: int | None) -> int:
    """What the two parts of a sum stand for."""
    return (high or 0) * PART + (low or 0)


def _group(row: Sequence[Any], prices: PricesNow) -> _Group:
    shared = frozenset(scope for scope, is_same in zip(SCOPES, row[:4], strict=True) if is_same)
    reach, account_id, asset, *parts = row[4:]
    value, units = total(*parts[:2]), total(*parts[2:])
    worth = in_currency(value) if account_id is None else prices.value_of(account_id, asset, units)
    return _Group(shared, reach, worth)
