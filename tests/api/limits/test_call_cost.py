"""How much Python a signed call runs. A call may not grow unnoticed: whoever raises a number here says why."""

import pytest
from django.db import connection

from portal.api import middleware
from tests.api.calls import Wire
from tests.api.limits.roads import Roads, Sent
from tests.work_counted import Counted, counted

# Each call commits, as it does when it is served: PostgreSQL is asked in another way then.
pytestmark = pytest.mark.django_db(transaction=True)
# Functions called and instructions run, by Python 3.11; later ones run fewer. psycopg's and Django's are among them.
STRAIGHT = {"postgresql": (90, 2_150), "sqlite": (98, 2_180)}
ORDINARY = {"postgresql": (160, 3_550), "sqlite": (168, 3_570)}


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
