"""What PostgreSQL reads for a page of a long list: the page, however far back it lies and whatever bounds it."""

import json
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.venues.types import ClosedQuery, CloseTime, LedgerQuery, OpenQuery, TradeQuery
from tests.venues.conftest import open_account
from tests.venues.ordering import VENUE
from tests.venues.paper.ranks import rows

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the plans of PostgreSQL"),
]
COUNT = 50_000
LONG = {"paper_order", "paper_trade", "paper_posting", "paper_entry", "paper_rank"}
# Of each the list that is asked for, with which query.
ASKED = {
    "closed orders": ("closed_orders", ClosedQuery(with_trades=True)),
    "closed orders far back": ("closed_orders", ClosedQuery(offset=COUNT - 1000)),
    "closed orders from": ("closed_orders", ClosedQuery(after=rows.at(COUNT // 2))),
    "closed orders between": (
        "closed_orders",
        ClosedQuery(after=rows.at(1000), until=rows.at(COUNT // 2), offset=9000),
    ),
    "closed orders by opening": (
        "closed_orders",
        ClosedQuery(after=rows.at(1000), until=rows.at(9000), close_time=CloseTime.OPEN, offset=40),
    ),
    "closed orders of a userref": ("closed_orders", ClosedQuery(userref=1, offset=15000)),
    "closed orders of a userref from": ("closed_orders", ClosedQuery(userref=2, after=rows.at(1000), offset=700)),
    "closed orders of no such id": ("closed_orders", ClosedQuery(cl_ord_id="none")),
    "closed orders in a window": ("closed_orders", ClosedQuery(seen_from=rows.at(100), seen_before=rows.at(40000))),
    "trades": ("trades", TradeQuery(with_ledgers=True)),
    "trades far back": ("trades", TradeQuery(offset=COUNT - 1000)),
    "trades between": ("trades", TradeQuery(after=rows.at(1000), until=rows.at(COUNT // 2), offset=9000)),
    "ledger": ("ledger", LedgerQuery()),
    "ledger far back": ("ledger", LedgerQuery(offset=2 * COUNT - 1000)),
    "ledger of an asset": ("ledger", LedgerQuery(assets=("XXBT",), offset=COUNT - 1000)),
    "ledger of two assets": ("ledger", LedgerQuery(assets=("XXBT", "ZUSD"), offset=COUNT)),
    "ledger of a kind": ("ledger", LedgerQuery(kind="trade", after=rows.at(2000), offset=COUNT)),
    "open orders": ("open_orders", OpenQuery()),
}


@pytest.fixture
def long(empty, clock):
    """An Account with very many rows in each list, and another one."""
    clock(COUNT * 2)
    rows.many(open_account(), 5000)
    rows.many(empty, COUNT)
    return empty


def nodes(plan) -> Iterator[dict]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def read(sql: str) -> list[dict]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        [(found,)] = cursor.fetchall()
    [explained] = json.loads(found) if isinstance(found, str) else found
    return list(nodes(explained["Plan"]))


def size(node) -> int:
    """How many rows the node looked at in all its runs."""
    each = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return each * node["Actual Loops"]


def test_no_page_of_a_long_list_reads_more_than_itself(long):
    for name, (method, query) in ASKED.items():
        with CaptureQueriesContext(connection) as captured:
            getattr(VENUE, method)(long.pk, query)
        assert 2 <= len(captured) <= 10, name
        for asked in captured:
            for node in read(asked["sql"]):
                is_whole = node["Node Type"] == "Seq Scan" and node["Relation Name"] in LONG
                assert not is_whole, (name, asked["sql"])
                assert size(node) <= 1000, (name, asked["sql"], node)
