"""How many statements an order takes: a few, however much it fills, and however many others there are."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.venues.paper.orders.models import Trade
from portal.venues.types import OpenQuery
from tests.venues.ordering import VENUE, place

pytestmark = pytest.mark.usefixtures("adds_up")


def made_by(act: Callable[[], object]) -> list[str]:
    """Without those that begin and end the transaction."""
    with CaptureQueriesContext(connection) as captured:
        act()
    return [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]


@pytest.fixture
def busy(trader):
    """Traded today already, and has orders open and cancelled."""
    for _ in range(12):
        place(trader, "buy", "0.0001", "50000", userref=1)
    place(trader, "buy", "0.01")
    VENUE.cancel_orders(trader.pk, userref=1)
    for _ in range(8):
        place(trader, "buy", "0.0001", "40000", userref=2)
    return trader


@pytest.mark.parametrize("terms", [{}, {"cl_ord_id": "mine"}, {"userref": 9}, {"is_post_only": True}])
def test_an_order_that_rests_takes_six(busy, terms):
    """The lock (on SQLite the number in the journal), the look, the counter, the order, the balance, the journal."""
    assert len(made_by(lambda: place(busy, "buy", "0.01", "50000", **terms))) == 6


def test_an_order_is_written_once(busy):
    written = [sql for sql in made_by(lambda: place(busy, "buy", "1", "60005")) if '"paper_order"' in sql]
    assert [sql.split()[0] for sql in written] == ["INSERT"]


@pytest.mark.parametrize(("volume", "fills"), [("0.01", 1), ("1.3", 3)])
def test_a_market_order_takes_eleven_however_often_it_is_filled(busy, volume, fills):
    before = Trade.objects.count()
    assert len(made_by(lambda: place(busy, "buy", volume))) == 11
    assert Trade.objects.count() - before >= fills


def test_without_limits_nothing_is_counted(busy, settings):
    settings.API_LIMITS = False
    assert len(made_by(lambda: place(busy, "buy", "0.01", "50000"))) == 5
    assert len(made_by(lambda: VENUE.cancel_orders(busy.pk, userref=2))) == 6


def test_cancelling_takes_eight_while_it_counts_and_six_then_however_many_it_takes_back(busy, clock):
    assert len(made_by(lambda: VENUE.cancel_orders(busy.pk, userref=2))) == 8
    clock(100)
    row = place(busy, "buy", "0.01", "50000")
    for _ in range(20):
        place(busy, "buy", "0.0001", "40000")
    clock(500)
    assert len(made_by(lambda: VENUE.cancel_orders(busy.pk, order_id=row.id))) == 6
    assert len(made_by(lambda: VENUE.cancel_all_orders(busy.pk))) == 6
    assert VENUE.open_orders(busy.pk, OpenQuery()) == []


def test_what_is_asked_of_a_quiet_account_takes_one_statement_more_than_the_list(busy):
    assert len(made_by(lambda: VENUE.open_orders(busy.pk, OpenQuery()))) == 2
