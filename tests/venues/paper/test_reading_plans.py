"""What PostgreSQL reads for a list that is read along, under the plan that it keeps: the page and no more."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from portal.core.database import prepared
from portal.core.database.reading import Reading
from portal.venues.paper.orders.models import Order
from portal.venues.types import LedgerQuery, Mark, OpenQuery, TradeQuery
from tests.venues.conftest import open_account
from tests.venues.ordering import VENUE
from tests.venues.paper.ranks import rows
from tests.venues.paper.ranks.test_plans import COUNT, LONG, read, size

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the plans of PostgreSQL"),
]


def asked(account_id: int) -> dict[str, Reading[object] | None]:
    """Of each list the newest page and one far back; what it may read is a page, and what joins it."""
    return {
        "balances": VENUE.reading_of_balances(account_id),
        "ledger": VENUE.reading_of_ledger(account_id, LedgerQuery()),
        "ledger far back": VENUE.reading_of_ledger(account_id, LedgerQuery(offset=2 * COUNT - 1000)),
        "ledger between": VENUE.reading_of_ledger(
            account_id, LedgerQuery(after=rows.at(1000), until=rows.at(COUNT // 2), offset=COUNT // 5)
        ),
        "trades": VENUE.reading_of_trades(account_id, TradeQuery()),
        "trades far back": VENUE.reading_of_trades(account_id, TradeQuery(offset=COUNT - 1000)),
        "open orders": VENUE.reading_of_open_orders(account_id, OpenQuery()),
        "ledger from a row on": VENUE.reading_of_newest_ledger(account_id, Mark(2 * COUNT - 3, 1)),
        "newest of the ledger": VENUE.reading_of_newest_ledger(account_id, None),
        "newest trades": VENUE.reading_of_newest_trades(account_id, None),
        "orders": VENUE.reading_of_orders(account_id, [f"O{account_id}-7", f"O{account_id}-{COUNT}"], OpenQuery()),
    }


def test_no_page_that_is_read_along_reads_more_than_itself(empty, clock):
    clock(COUNT * 2)
    others = [open_account() for _ in range(12)]
    rows.many(others[0], 5000)
    rows.many(empty, COUNT)
    # What waits in other Accounts, as many orders in each as may be, is not walked through either.
    waiting = [(account, number) for account in [*others, empty] for number in range(225)]
    Order.objects.bulk_create(rows.order(account, f"open-{number}", number, None) for account, number in waiting)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE paper_order")
        for name, reading in asked(empty.pk).items():
            assert reading is not None
            with kept(reading) as execute:
                reads_a_page(name, execute)


def test_orders_by_id_are_looked_up_under_a_plan_from_when_there_were_few(empty, clock):
    """A session keeps its plan until the table is analyzed, however much it grows meanwhile."""
    clock(COUNT * 2)
    accounts = [open_account() for _ in range(4)]
    few = [rows.order(account, f"few-{number}", number, None) for account in accounts for number in range(100)]
    Order.objects.bulk_create(few)
    reading = VENUE.reading_of_orders(accounts[0].pk, [f"O{accounts[0].pk}-few-7", "O-NONE"], OpenQuery())
    assert reading is not None
    with connection.cursor() as cursor:
        # Or else it goes by what another test has left behind.
        cursor.execute("ANALYZE paper_order")
    with connection.cursor() as cursor, kept(reading) as execute:
        cursor.execute(execute)
        assert len(cursor.fetchall()) == 1
        more = [
            rows.order(account, f"more-{number}", number, number + 9) for account in accounts for number in range(2000)
        ]
        Order.objects.bulk_create(more)
        reads_a_page("orders", execute)


def test_nothing_that_is_read_along_is_planned_anew_at_each_call(empty, clock):
    """To plan it takes longer than to read it."""
    clock(COUNT * 2)
    rows.many(empty, 500)
    with connection.cursor() as cursor:
        for name, reading in asked(empty.pk).items():
            assert reading is not None
            with kept(reading) as execute:
                for _ in range(8):
                    cursor.execute(execute)
                cursor.execute("SELECT custom_plans, generic_plans FROM pg_prepared_statements WHERE name = 'asked'")
                assert cursor.fetchone() == (0, 8), name


@contextmanager
def kept(reading: Reading[object]) -> Iterator[str]:
    """Prepared as it stands beside the nonce, where whoever calls too often is told nothing: how to execute it."""
    question, text = reading.question, "WITH other AS (SELECT 1 AS one) "
    if question.is_one:
        text += f"SELECT {question.returned('one', only_if='one <= 1')} FROM other"
    else:
        text += question.beside("other", "one", only_if="other.one <= 1")
    statement, in_order = prepared._numbered(text)
    values = in_order(reading.parameters)
    with connection.cursor() as cursor:
        cursor.execute(f"PREPARE asked AS {statement.decode()}")
        given = ", ".join(["%s"] * len(values))
        executed: str = cursor.mogrify(f"EXECUTE asked ({given})", values)
    try:
        yield executed
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DEALLOCATE asked")


def reads_a_page(name: str, execute: str) -> None:
    for node in read(execute):
        is_whole = node["Node Type"] == "Seq Scan" and node["Relation Name"] in LONG
        assert not is_whole, (name, node)
        assert size(node) <= 1000, (name, node)
