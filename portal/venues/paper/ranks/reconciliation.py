"""Numbering the rows of all lists anew."""

from collections.abc import Iterator
from typing import Any, Final

from django.db import connection

from portal.venues.paper.ranks.models import SPANS

OPEN_FOR: Final = {
    "postgresql": "extract(epoch FROM closed_at - opened_at)",
    "sqlite": "(julianday(closed_at) - julianday(opened_at)) * 86400",
}
# Each row of a list, once for each part that it counts in.
ROWS: Final = """
    SELECT account_id, 'ledger' AS list, '' AS key, at, id AS row_id FROM paper_posting WHERE account_id IS NOT NULL
    UNION ALL
    SELECT p.account_id, 'ledger', e.kind || '/' || p.asset, p.at, p.id
    FROM paper_posting AS p JOIN paper_entry AS e ON e.id = p.entry_id WHERE p.account_id IS NOT NULL
    UNION ALL SELECT account_id, 'trade', '', at, id FROM paper_trade
    UNION ALL SELECT account_id, 'order', '', closed_at, id FROM paper_order WHERE closed_at IS NOT NULL
    UNION ALL
    SELECT account_id, 'order', 'userref:' || userref, closed_at, id
    FROM paper_order WHERE closed_at IS NOT NULL AND userref IS NOT NULL
    UNION ALL
    SELECT account_id, 'order', 'id:' || cl_ord_id, closed_at, id
    FROM paper_order WHERE closed_at IS NOT NULL AND cl_ord_id IS NOT NULL
    UNION ALL
    SELECT account_id, 'order', 'span:' || CASE {spans} ELSE 'longer' END, closed_at, id
    FROM paper_order WHERE closed_at IS NOT NULL
"""
NUMBERED: Final = """
    SELECT account_id, list, key, row_number() OVER (PARTITION BY account_id, list, key ORDER BY at, row_id) AS number,
        at, row_id
    FROM ({rows}) AS rows_of_lists
"""
STANDING: Final = "SELECT account_id, list, key, number, at, row_id FROM paper_rank"
# A part is counted by its last number.
COUNTED: Final = """
    SELECT account_id, list, key, max(number) FROM paper_rank WHERE list = 'ledger' OR key = ''
    GROUP BY account_id, list, key
"""
COUNTS: Final = "SELECT account_id, list, key, count FROM paper_rankcount"


def differences() -> Iterator[str]:
    """What does not agree, in words."""
    spans = " ".join(f"WHEN {OPEN_FOR[connection.vendor]} <= {seconds} THEN '{seconds}'" for seconds in SPANS)
    numbered = NUMBERED.format(rows=ROWS.format(spans=spans))
    for account, name, key, number, _, row in _without(numbered, STANDING):
        yield f"Account {account}, list {_named(name, key)}: row {row} does not stand there as number {number}."
    for account, name, key, number, _, row in _without(STANDING, numbered):
        yield f"Account {account}, list {_named(name, key)}: row {row} stands there as number {number}, and should not."
    for account, name, key, count in _without(COUNTED, COUNTS):
        yield f"Account {account}, list {_named(name, key)}: {count} rows are not what stands there as their count."
    for account, name, key, count in _without(COUNTS, COUNTED):
        yield f"Account {account}, list {_named(name, key)}: {count} stands there as the count of its rows."


def _named(name: str, key: str) -> str:
    return f"{name} {key}".strip()


def _without(one: str, other: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"{one} EXCEPT {other} ORDER BY 1, 2, 3, 4")
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
