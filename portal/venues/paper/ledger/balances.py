"""Reading and locking balances."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache, reduce
from operator import or_
from typing import Any, Final, TypeAlias

from django.db.models import Q

from portal.core.database.at_hand import hand
from portal.core.database.prepared import fetch
from portal.core.database.reading import BEFORE, Question, Reading, Rows
from portal.venues.paper import catalogue
from portal.venues.paper.due import IS_DUE, parameters
from portal.venues.paper.ledger.models import Balance
from portal.venues.types import Balance as BalanceRow
from portal.venues.types import Balances

# On the way of every bot that asks for its balances, hence without the ORM; and all of them in one text, which has
# mostly been read before.
HELD: Final = """
    SELECT {joined}(asset || ' ' || (units - held_by_withdrawals_units) || ' ' || held_by_orders_units || ' ' ||
        held_by_withdrawals_units, ',') AS held
    FROM paper_balance WHERE account_id = %(account)s
"""
ON_POSTGRESQL: Final = Question(stale=IS_DUE, select=HELD.format(joined="string_agg"), order="", is_one=True)
ON_SQLITE: Final = Question(stale=IS_DUE, select=HELD.format(joined="group_concat"), order="", is_one=True)
NONE: Final = Balances()
# Of so many Accounts a process knows what it told last.
KNOWN: Final = 2048
# Balances as they are under the lock, with their own keys.
COLUMNS: Final = "b.id, b.asset, b.units, b.held_by_orders_units, b.held_by_withdrawals_units"
STANDING: Final = Question(
    stale=IS_DUE,
    select=f"SELECT {COLUMNS} FROM paper_balance AS b WHERE b.account_id = %(account)s",  # noqa: S608  (nothing of a request is in it)
    order="asked.id",
)
LOCKED: Final = "SELECT 1 FROM paper_balance WHERE account_id = %(account)s ORDER BY id FOR NO KEY UPDATE"

# An Account and an asset id.
Place: TypeAlias = tuple[int, str]


def reading(account_id: int, path: str, now: datetime) -> Reading[Balances]:
    """Every asset the Account ever had, by asset id; stale if anything has come due for it.

    `path` names the prices in force.
    """
    return Reading(ON_POSTGRESQL if hand.is_postgresql else ON_SQLITE, parameters(account_id, path, now), _told)


def _told(rows: Rows) -> Balances:
    return _read(rows[0][BEFORE]) if rows else NONE


@lru_cache(maxsize=KNOWN)
def _read(held: str) -> Balances:
    rows = sorted(row.split(" ") for row in held.split(","))
    return Balances(BalanceRow(catalogue.BY_ID[asset], *map(int, amounts)) for asset, *amounts in rows)


def lock_account(account_id: int) -> None:
    """Lock all Balances of one Account in primary-key order: the lock of its orders and of Earn.

    Whatever is to be known under it is looked at by a later statement, which sees what those did who had it before.
    """
    # On SQLite the transaction is the lock.
    if hand.is_postgresql:
        fetch(LOCKED, {"account": account_id})


def standing(account_id: int, path: str, now: datetime) -> Reading[dict[str, Balance]]:
    """All Balances of one Account by asset id; stale if anything has come due for it. `path` as for `reading`."""

    def by_asset(rows: Rows) -> dict[str, Balance]:
        return {balance.asset: balance for balance in of_rows(account_id, (row[BEFORE:] for row in rows))}

    return Reading(STANDING, parameters(account_id, path, now), by_asset)


def of_rows(account_id: int, rows: Iterable[Sequence[Any]]) -> list[Balance]:
    """The Balances of rows of their COLUMNS; a row of NULLs is none."""
    return [
        Balance(
            id=pk,
            account_id=account_id,
            asset=asset,
            units=units,
            held_by_orders_units=for_orders,
            held_by_withdrawals_units=for_withdrawals,
        )
        for pk, asset, units, for_orders, for_withdrawals in rows
        if pk is not None
    ]


def save(rows: Iterable[Balance], *columns: str) -> None:
    """Write these columns of locked Balances, in one statement."""
    Balance.objects.bulk_update(rows, columns)


def lock(places: Iterable[Place]) -> dict[Place, Balance]:
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


def _locked(wanted: set[Place]) -> dict[Place, Balance]:
    any_of = reduce(or_, (Q(account=account_id, asset=asset) for account_id, asset in wanted))
    rows = Balance.objects.select_for_update(no_key=True).filter(any_of).order_by("pk")
    return {(row.account_id, row.asset): row for row in rows}
