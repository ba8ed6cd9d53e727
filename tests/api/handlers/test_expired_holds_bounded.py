"""However many requests are overdue, a bot's call does a bounded amount of work and tells the right numbers (R5)."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from policies.models import ChangeRequest, State
from portal.jobs import periodic
from portal.treasury import expired_holds
from portal.venues.paper import reconciliation

pytestmark = pytest.mark.django_db
MANY = 12


@pytest.fixture
def waiting(treasury):
    """So many withdrawals wait for people, and what the balance was before them."""
    before = treasury.result("Balance")["XXBT"]
    for _ in range(MANY):
        treasury.result("Withdraw", asset="XBT", key="btc-cold", amount="0.01")
    assert treasury.result("Balance")["XXBT"] != before
    return before


@pytest.fixture
def later(waiting):
    """All of them are past their time, and no job has run."""
    last = ChangeRequest.objects.filter(state=State.PENDING).latest("expires_at")
    with time_machine.travel(last.expires_at + timedelta(seconds=1), tick=False):
        expired_holds.forget()
        yield


def states() -> list[str]:
    return sorted(ChangeRequest.objects.order_by("-pk")[:MANY].values_list("state", flat=True))


def test_balance_gives_every_hold_back_and_writes_a_few_expiries(treasury, waiting, later):
    """fault operations-F11: the rest is left to `work`, which finds it all given back already."""
    assert treasury.result("Balance")["XXBT"] == waiting
    assert states().count(State.EXPIRED) == expired_holds.WRITTEN
    assert {row["status"] for row in treasury.result("WithdrawStatus")[:MANY]} == {"Failure"}
    periodic.run_due()
    assert states() == [State.EXPIRED] * MANY
    assert treasury.result("Balance")["XXBT"] == waiting
    assert not list(reconciliation.differences())


def test_how_many_are_overdue_does_not_show_in_the_number_of_statements(treasury, waiting, later):
    """fault operations-F11: ten thousand cost no more statements than a dozen; the next call costs what it did."""
    with CaptureQueriesContext(connection) as many:
        treasury.result("Balance")
    with CaptureQueriesContext(connection) as next_call:
        treasury.result("Balance")
    assert len(next_call) == (1 if connection.vendor == "postgresql" else 2)
    expired_holds.forget()
    with CaptureQueriesContext(connection) as again:
        treasury.result("Balance")
    # The next few are written, and nothing else has grown or shrunk with the number of the others.
    assert abs(len(many) - len(again)) <= 5


def test_what_was_given_back_can_be_spent_and_not_be_sent(treasury, waiting, later):
    """fault operations-F11: the money is free for an order, and nobody can still decide the request."""
    free = treasury.result("Balance")["XXBT"]
    treasury.result("AddOrder", pair="XBTUSD", type="sell", ordertype="limit", price="9000000", volume=free)
    periodic.run_due()
    assert states() == [State.EXPIRED] * MANY
