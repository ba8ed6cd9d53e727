"""What a call leaves in the database: rows by table, and how many bytes a row of each takes with its indexes."""

from dataclasses import dataclass, field
from typing import Final

from django.db import connection

from benchmarks.contest.rounds import ask_each
from benchmarks.ground.servers import Server
from benchmarks.ground.world import ADDRESS, Bot
from benchmarks.load import answers
from benchmarks.load.signing import signed

# A table of fewer rows says nothing about the size of one.
ENOUGH_ROWS: Final = 300
# What one of these calls leaves, on average over so many.
CALLS: Final = 20
ASKED: Final = {
    "an order that rests": (
        "AddOrder",
        {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "700", "volume": "0.01"},
    ),
    "an order at the market": ("AddOrder", {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.01"}),
    "a withdrawal that waits": ("Withdraw", {"asset": "XBT", "key": ADDRESS, "amount": "0.001"}),
}


@dataclass(frozen=True, slots=True)
class Growth:
    """Of one call: rows by table, and bytes of all of them."""

    rows: dict[str, float] = field(default_factory=dict)
    bytes: float = 0.0


def measure(server: Server, bot: Bot) -> dict[str, Growth]:
    """By what is asked. Raises: BadAnswer."""
    found = {}
    for name, (method, fields) in ASKED.items():
        asked = [signed(bot.key, method, lambda _, fields=fields: fields)] * CALLS  # type: ignore[misc]
        before = _rows()
        for body in ask_each(server.port, asked):
            answers.result(body)
        after = _rows()
        rows = {table: (number - before[table]) / CALLS for table, number in after.items() if number > before[table]}
        found[name] = Growth(rows, sum(each * _row_bytes(table) for table, each in rows.items()))
    return found


def _rows() -> dict[str, int]:
    return {table: _one(f'SELECT count(*) FROM "{table}"') for table in connection.introspection.table_names()}


def _row_bytes(table: str) -> float:
    rows = _one(f'SELECT count(*) FROM "{table}"')
    return _one(f"SELECT pg_total_relation_size('\"{table}\"')") / rows if rows >= ENOUGH_ROWS else 0.0


def _one(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])
