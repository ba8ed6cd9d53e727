"""What PostgreSQL reads for the statements of a piece of work, told by its own plans of them, carried out."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext


@dataclass(frozen=True)
class Reading:
    """One statement: how many rows of each table it looked at, kept or not, and which tables it went all through."""

    sql: str
    rows: Counter[str]
    whole: frozenset[str]


def readings(act: Callable[[], object]) -> list[Reading]:
    """Every SELECT that `act` sends, as its plan tells after it was carried out once more."""
    with CaptureQueriesContext(connection) as captured:
        act()
    return [_reading(query["sql"]) for query in captured if query["sql"].startswith(("SELECT", "(SELECT", "WITH"))]


def most_read(found: list[Reading], table: str) -> tuple[int, str]:
    """How many rows of `table` the greediest of these statements looked at, and which one that is."""
    return max(((reading.rows[table], reading.sql) for reading in found), default=(0, ""))


def analyze(*tables: str) -> None:
    """What the planner knows of tables that a test has just filled."""
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ANALYZE {table}")


def _reading(sql: str) -> Reading:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + sql.replace("%", "%%"), [])
        told = cursor.fetchone()[0]
    plan = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
    rows: Counter[str] = Counter()
    whole = set()
    for node in _nodes(plan):
        if "Relation Name" in node:
            passed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            rows[node["Relation Name"]] += round((node["Actual Rows"] + passed) * node["Actual Loops"])
            if node["Node Type"] == "Seq Scan" and node["Actual Loops"]:
                whole.add(node["Relation Name"])
    return Reading(sql, rows, frozenset(whole))


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)
