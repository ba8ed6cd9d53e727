"""How much Python a signed call runs. A call may not grow unnoticed: whoever raises a number here says why."""

import pytest
from django.db import connection

from portal.api import middleware
from portal.api.handlers import ledger, orders
from tests.api.calls import Wire
from tests.api.limits.roads import Roads, Sent
from tests.work_counted import Counted, counted

# Each call commits, as it does when it is served: PostgreSQL is asked in another way then.
pytestmark = pytest.mark.django_db(transaction=True)
# Functions called and instructions run, by Python 3.11; later ones run fewer. psycopg's and Django's are among them.
STRAIGHT = {"postgresql": (60, 1_520), "sqlite": (67, 1_550)}
ORDINARY = {"postgresql": (130, 2_925), "sqlite": (137, 2_955)}


def cost(wire: Wire, **environ: object) -> Counted:
    """Of one call through the door, when everything has been met before."""
    roads = Roads()
    for _ in range(8):
        assert roads.send(Sent(wire, environ=dict(environ)))[2].startswith(b'{"error":[],')
    given, said = Sent(wire, environ=dict(environ)).variables(), []
    door = middleware.bot_api(lambda *_: [b"a page"])
    return counted(lambda: door(given, lambda *answer: said.append(answer)))  # type: ignore[arg-type]


def test_a_balance_on_the_straight_path_runs_no_more_than_this(readonly, settings):
    settings.API_LIMITS = True
    most_calls, most = STRAIGHT[connection.vendor]
    found = cost(readonly)
    assert (found.calls <= most_calls, found.instructions <= most) == (True, True), found


def test_a_balance_on_the_ordinary_road_runs_no_more_than_this(readonly, settings):
    settings.API_LIMITS = True
    most_calls, most = ORDINARY[connection.vendor]
    found = cost(readonly, CONTENT_TYPE="application/x-www-form-urlencoded; charset=utf-8")
    assert (found.calls <= most_calls, found.instructions <= most) == (True, True), found


def test_what_is_counted_is_what_runs():
    def once() -> int:
        return 1

    few, many = counted(once), counted(lambda: [once() for _ in range(100)])
    assert few.calls == 1
    assert many.calls >= 101
    assert many.instructions > 100 * 2 + few.instructions


@pytest.mark.postgresql
def test_a_row_of_a_list_runs_no_more_than_this(trading, settings):
    """What one more row costs when it is told first, of lists that are read along; and nothing from then on."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite asks by the ORM")
    settings.API_LIMITS = False
    roads, found = Roads(), {}
    for number in (5, 25):
        while len(trading.result("TradesHistory")["trades"]) < number:
            trading.result("AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.01")
        for method, rows in (("TradesHistory", number), ("Ledgers", len(trading.result("Ledgers")["ledger"]))):
            first, again = list_cost(roads, trading, method)
            found[method, number] = first.instructions, again.instructions, rows
    for method, most in (("TradesHistory", 220), ("Ledgers", 110)):
        (few, few_again, less), (many, many_again, more) = found[method, 5], found[method, 25]
        assert (many - few) / (more - less) <= most, (method, found)
        assert many_again == few_again <= 1_620, (method, found)


@pytest.mark.postgresql
def test_an_order_that_has_not_changed_is_not_put_into_words_again(trading, settings):
    """It is looked up by its row: a twentieth of what its words take."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite asks by the ORM")
    settings.API_LIMITS = False
    roads, found = Roads(), {}
    for number in (2, 12):
        while len(trading.result("OpenOrders")["open"]) < number:
            trading.result("AddOrder", pair="XBTUSD", type="buy", ordertype="limit", price="100", volume="0.01")
        found[number] = list_cost(roads, trading, "OpenOrders")[1].instructions
    assert (found[12] - found[2]) / 10 <= 25, found


def list_cost(roads: Roads, wire: Wire, method: str) -> tuple[Counted, Counted]:
    """Of a call whose page is not known yet, and of the one after it."""
    for _ in range(8):
        assert roads.send(Sent(wire, method))[2].startswith(b'{"error":[],')
    (orders if method == "TradesHistory" else ledger).NEWEST.forget()
    door = middleware.bot_api(lambda *_: [b"a page"])
    found = []
    for _ in range(2):
        given, said = Sent(wire, method).variables(), []
        found.append(counted(lambda: door(given, lambda *answer: said.append(answer))))  # type: ignore[arg-type] # noqa: B023
    return found[0], found[1]
