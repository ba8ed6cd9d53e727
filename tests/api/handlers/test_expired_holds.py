"""A hold past its time is off nobody's balance, though no job has run (DESIGN R5, K7)."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from policies.models import ChangeRequest, Policy, State

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("method", ["Balance", "BalanceEx"])
@pytest.mark.parametrize("hours", [1, 72])
def test_an_overdue_hold_is_back_in_the_balance_at_that_very_moment(treasury, method, hours):
    """CR-12: frozen clock, no job. Whatever was looked at before, in this process or another."""
    Policy.objects.filter(workflow="initiate_withdrawal").update(open_hours=hours)
    before = treasury.result(method)["XXBT"]
    treasury.result("Withdraw", asset="XBT", key="btc-cold", amount="0.25")
    assert treasury.result(method)["XXBT"] != before
    change = ChangeRequest.objects.filter(state=State.PENDING).latest("pk")
    with time_machine.travel(change.expires_at - timedelta(seconds=1), tick=False):
        assert treasury.result(method)["XXBT"] != before
    with time_machine.travel(change.expires_at, tick=False):
        assert treasury.result(method)["XXBT"] == before
    change.refresh_from_db()
    assert change.state == State.EXPIRED


def test_looking_costs_nothing_while_nothing_can_be_due(treasury):
    treasury.result("Balance")
    with time_machine.travel(timezone.now() + timedelta(minutes=54), tick=False):
        with CaptureQueriesContext(connection) as queries:
            treasury.result("Balance")
        assert len(queries) == (1 if connection.vendor == "postgresql" else 2)
    with time_machine.travel(timezone.now() + timedelta(minutes=56), tick=False):
        with CaptureQueriesContext(connection) as queries:
            treasury.result("Balance")
        assert len(queries) == 4
