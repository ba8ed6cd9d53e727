"""Reading and locking balances."""

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Final

from django.db.models import Q

from portal.core.database.reading import Question, Reading, Rows
from portal.venues.paper import catalogue
from portal.venues.paper.due import IS_DUE, parameters
from portal.venues.paper.ledger.models import Balance
from portal.venues.types import Balance as BalanceRow

# On the way of every bot that asks for its balances, hence without the ORM.
BALANCES: Final = Question(
    stale=IS_DUE,
    select="""
    SELECT asset, units - held_by_withdrawals_units AS units, held_by_orders_units, held_by_withdrawals_units
    FROM paper_balance WHERE account_id = %(account)s
""",
    order="asked.asset",
)


def reading(account_id: int, path: str, now: datetime) -> Reading[list[BalanceRow]]:
    """Every asset the Account ever had, by asset id; stale if anything has come due for it.

    `path` names the prices in force.
    """
    return Reading(BALANCES, parameters(account_id, path, now), _told)


def _told(rows: Rows) -> list[BalanceRow]:
    assets = catalogue.BY_ID
    return [
        BalanceRow(assets[asset], units, for_orders, for_withdrawals)
        for _, _, asset, units, for_orders, for_withdrawals in rows
    ]


def lock_account(account_id: int) -> dict[str, Balance]:
    """All Balances of one Account by asset id, locked in primary-key order: the lock of its orders and of Earn."""
    rows = Balance.objects.select_for_update(no_key=True).filter(account=account_id).order_by("pk")
    return {row.asset: row for row in rows}


def lock(places: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Balance]:
    """The Balances of Accounts and asset ids, locked in primary-key order; missing ones are opened empty."""
    wanted = set(places)
    if not wanted:
        return {}
    rows = [Balance(account_id=account_id, asset=asset) for account_id, asset in sorted(wanted)]
    found = _locked(wanted)
    if len(found) < len(wanted):
        Balance.objects.bulk_create(rows, ignore_conflicts=True)
        found = _locked(wanted)
    return found


def lock_one(account_id: int, asset: str) -> Balance | None:
    """The Balance of one Account and asset id, locked; None if it never had any."""
    return _locked({(account_id, asset)}).get((account_id, asset))


def _locked(wanted: set[tuple[int, str]]) -> dict[tuple[int, str], Balance]:
    any_of = reduce(or_, (Q(account=account_id, asset=asset) for account_id, asset in wanted))
    rows = Balance.objects.select_for_update(no_key=True).filter(any_of).order_by("pk")
    return {(row.account_id, row.asset): row for row in rows}
