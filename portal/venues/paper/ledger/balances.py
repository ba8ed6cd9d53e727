"""Reading and locking balances."""

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from operator import or_

from django.db import connection
from django.db.models import Q

from portal.core.database.prepared import fetch
from portal.venues.paper import catalogue
from portal.venues.paper.ledger.models import Balance
from portal.venues.types import Balance as BalanceRow

# On the way of every bot that asks for anything of its Account, hence without the ORM.
DUE = """
        EXISTS (SELECT 1 FROM paper_order WHERE account_id = %(account)s AND status = 'open'
            AND (due_at <= %(now)s OR path <> %(path)s))
        OR EXISTS (SELECT 1 FROM paper_deposit WHERE account_id = %(account)s AND entry_id IS NULL
            AND credit_at <= %(now)s)
        OR EXISTS (SELECT 1 FROM paper_holding WHERE account_id = %(account)s AND due_at <= %(now)s)
"""
BALANCES = f"""
    SELECT asset, units, held_by_orders_units, held_by_withdrawals_units, {DUE}
    FROM paper_balance WHERE account_id = %(account)s ORDER BY asset
"""  # noqa: S608  (nothing of a request is in it)


def is_due(account_id: int, path: str, now: datetime) -> bool:
    """Whether anything waits to be carried out for the Account, in one statement; `path` as for `balances`."""
    at = connection.ops.adapt_datetimefield_value(now)
    [(is_behind,)] = fetch(f"SELECT {DUE}", {"account": account_id, "now": at, "path": path})
    return bool(is_behind)


def balances(account_id: int, path: str, now: datetime) -> tuple[list[BalanceRow], bool]:
    """Every asset the Account ever had, by asset id, in one statement; and whether anything has come due for it.

    `path` names the prices in force: orders that were looked at under others are due. An Account
    that never had anything has no rows, and says nothing of what is due.
    """
    at = connection.ops.adapt_datetimefield_value(now)
    found = fetch(BALANCES, {"account": account_id, "now": at, "path": path})
    rows = [
        BalanceRow(catalogue.by_id(asset), units - for_withdrawals, for_orders, for_withdrawals)
        for asset, units, for_orders, for_withdrawals, _ in found
    ]
    return rows, any(is_due for *_, is_due in found)


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
