"""What the databases read for a page of a long list: the page, however far back it lies and whatever bounds it."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.venues.types import ClosedQuery, CloseTime, LedgerQuery, OpenQuery, TradeQuery
from tests.venues.conftest import open_account, pay_in
from tests.venues.ordering import VENUE, place
from tests.venues.paper.ranks import rows

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="the plans of PostgreSQL")
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="the plans of SQLite")
# Twenty times what a page may read: whatever goes through a list shows as well as with more.
COUNT = 20_000
LONG = {"paper_order", "paper_trade", "paper_posting", "paper_entry", "paper_rank"}
# Of each the list that is asked for, with which query.
ASKED: dict[str, tuple[str, Any]] = {
    "closed orders": ("closed_orders", ClosedQuery(with_trades=True)),
    "closed orders far back": ("closed_orders", ClosedQuery(offset=COUNT - 1000)),
    "closed orders from": ("closed_orders", ClosedQuery(after=rows.at(COUNT // 2))),
    "closed orders between": (
        "closed_orders",
        ClosedQuery(after=rows.at(1000), until=rows.at(COUNT // 2), offset=COUNT // 5),
    ),
    "closed orders by opening": (
        "closed_orders",
        ClosedQuery(after=rows.at(1000), until=rows.at(9000), close_time=CloseTime.OPEN, offset=40),
    ),
    "closed orders of a userref": ("closed_orders", ClosedQuery(userref=1, offset=COUNT * 3 // 10)),
    "closed orders of a userref from": ("closed_orders", ClosedQuery(userref=2, after=rows.at(1000), offset=700)),
    "closed orders of no such id": ("closed_orders", ClosedQuery(cl_ord_id="none")),
    "closed orders in a window": (
        "closed_orders",
        ClosedQuery(seen_from=rows.at(100), seen_before=rows.at(COUNT * 4 // 5)),
    ),
    "trades": ("trades", TradeQuery(with_ledgers=True)),
    "trades far back": ("trades", TradeQuery(offset=COUNT - 1000)),
    "trades between": ("trades", TradeQuery(after=rows.at(1000), until=rows.at(COUNT // 2), offset=COUNT // 5)),
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


def nodes(plan) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def read(sql: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        [(found,)] = cursor.fetchall()
    [explained] = json.loads(found) if isinstance(found, str) else found
    return list(nodes(explained["Plan"]))


def size(node: dict[str, Any]) -> int:
    """How many rows the node looked at in all its runs."""
    each = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    found: int = each * node["Actual Loops"]
    return found


@on_postgresql
@pytest.mark.postgresql
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


@on_sqlite
def test_sqlite_goes_through_no_long_table_for_a_page(empty, clock):
    """Its plans do not depend on how much there is."""
    clock(COUNT * 2)
    chance = Random(3)
    rows.orders(empty, chance, 60)
    rows.postings(empty, chance, 60)
    rows.trades(empty, chance, 60)
    for name, (method, query) in ASKED.items():
        with CaptureQueriesContext(connection) as captured:
            getattr(VENUE, method)(empty.pk, replace(query, offset=7) if hasattr(query, "offset") else query)
        for asked in captured:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {asked['sql']}")
                steps = [step for *_, step in cursor.fetchall()]
            # Of these statements' own names: `r`, `listed` and `pivot` are ranks, `o` is an order.
            whole = [step for step in steps if re.match(r"SCAN (r|listed|pivot|o|paper_\w+)\b", step)]
            assert steps, name
            assert whole == [], (name, asked["sql"])


def touched() -> tuple[int, int]:
    """How often the long tables were read from end to end so far, and how many rows were read in all."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(seq_scan), 0), coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0) "
            "FROM pg_stat_xact_user_tables WHERE relname = ANY(%s)",
            [list(LONG)],
        )
        whole, rows_read = cursor.fetchone()
    return int(whole), int(rows_read)


@on_postgresql
@pytest.mark.postgresql
def test_no_order_reads_what_was_before_it_and_neither_does_what_numbers_it(long, settings):
    """The counters of the database tell of triggers too."""
    settings.PAPER_PRICES = "still"
    pay_in(long, "100000", "USD")
    acts = {
        "rests": lambda: place(long, "buy", "0.01", "50000", userref=1),
        "rests with an id": lambda: place(long, "buy", "0.01", "50000", cl_ord_id="mine"),
        "market": lambda: place(long, "buy", "0.01"),
        "cancel": lambda: VENUE.cancel_orders(long.pk, userref=1),
        "cancel all": lambda: VENUE.cancel_all_orders(long.pk),
        "booked": lambda: pay_in(long, "1", "USD"),
    }
    late = rows.order(long, "late", 0, COUNT - 40)
    _, before = touched()
    late.save()
    _, after = touched()
    assert 100 <= after - before <= 1000, "those that closed later move up, in each part"
    # As often as lets the database take a plan for any parameters.
    for _ in range(8):
        for name, act in acts.items():
            whole, before = touched()
            act()
            scans, after = touched()
            assert scans == whole, name
            assert after - before <= 300, (name, after - before)
