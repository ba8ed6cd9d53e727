"""What is over the cap of a key: refused when it asks, failed when it would be sent, and never half."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import ServiceUser
from policies.models import ChangeRequest, Policy, State
from portal.treasury.errors import OverCap
from portal.treasury.models import Withdrawal
from portal.venues.types import Stage
from tests.treasury.conftest import HAD, stage_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _still(settings):
    """A bitcoin is 64,000 dollars."""
    settings.PAPER_PRICES = "still"


@pytest.fixture
def cap(treasury_bot):
    def capped(*, once=None, daily=None):
        hundredths = {
            f"{name}_cap_hundredths": None if most is None else int(Decimal(most) * 100)
            for name, most in (("withdrawal", once), ("daily", daily))
        }
        ServiceUser.objects.filter(pk=treasury_bot.service_user.pk).update(**hundredths)
        treasury_bot.service_user.refresh_from_db()

    return capped


def test_a_withdrawal_at_the_cap_is_taken_and_one_above_is_refused(ask, cap, standing):
    cap(once="6400")
    assert ask("0.1").state == State.PENDING
    with pytest.raises(OverCap, match=r"withdraws 6,400 USD at most at once\. This is 6,400\.01 USD\."):
        ask("0.10000001")
    assert standing() == (HAD - 1_000_000_000, 1_000_000_000)
    assert Withdrawal.objects.count() == ChangeRequest.objects.filter(operation="treasury.withdraw").count() == 1


@pytest.mark.parametrize("governed", [True, False])
def test_a_cap_that_was_lowered_since_the_key_was_known_counts(ask, treasury_bot, governed):
    """Who asks was read before the lock, under which nothing is taken from there."""
    if not governed:
        Policy.objects.filter(workflow="initiate_withdrawal").delete()
    ServiceUser.objects.filter(pk=treasury_bot.service_user.pk).update(withdrawal_cap_hundredths=640_000)
    assert treasury_bot.service_user.withdrawal_cap is None
    with pytest.raises(OverCap):
        ask("0.2")


def test_what_waits_counts_to_the_day(ask, cap):
    """Parallel ones do not help: each counts what is held."""
    cap(daily="12800")
    ask("0.1")
    ask("0.1")
    with pytest.raises(OverCap, match=r"12,800 USD at most in 24 hours\. With what it sent and has waiting this is"):
        ask("0.0005")


def test_what_was_sent_counts_for_a_day(ask, approve, ben, cleo, cap):
    cap(daily="6400")
    sent = approve(ask("0.1"), ben, cleo)
    with pytest.raises(OverCap):
        ask("0.1")
    row = Withdrawal.objects.get(change=sent)
    assert row.sent_at is not None
    Withdrawal.objects.filter(pk=row.pk).update(sent_at=row.sent_at - timedelta(hours=24, seconds=1))
    assert ask("0.1").state == State.PENDING


def test_what_others_send_does_not_count(ask, ana, cap):
    ask("1", actor=ana, api_key=None)
    cap(daily="6400")
    assert ask("0.1").state == State.PENDING


def test_a_member_has_no_cap(ask, ana, cap):
    cap(once="1", daily="1")
    assert ask("1", actor=ana, api_key=None).state == State.PENDING


def test_what_nobody_knows_a_price_of_is_over_the_cap(ask, cap, treasury_bot):
    type(treasury_bot.service_user.organization).objects.update(currency="GBP")
    cap(daily="1000000000")
    treasury_bot.service_user.organization.refresh_from_db()
    with pytest.raises(OverCap, match="nobody knows what this is worth in GBP"):
        ask("0.1")


def test_what_is_over_a_cap_that_was_lowered_fails_and_is_given_back(ask, approve, ben, cleo, cap, standing):
    change = ask("0.1")
    cap(once="100")
    change = approve(change, ben, cleo)
    assert change.state == State.FAILED
    assert change.reason == "treasury-bot withdraws 100 USD at most at once. This is 6,400 USD."
    assert stage_of(change) is Stage.CANCELED
    assert standing() == (HAD, 0)


def test_what_a_price_has_moved_over_the_cap_fails(ask, approve, ben, cleo, cap, settings, tmp_path, standing):
    cap(daily="6400")
    change = ask("0.1")
    prices = tmp_path / "prices.csv"
    prices.write_text("time,pair,price\n2020-01-01T00:00:00+00:00,XBT/USD,64001\n")
    settings.PAPER_PRICES = f"csv:{prices}"
    assert approve(change, ben, cleo).state == State.FAILED
    assert standing() == (HAD, 0)


def test_a_key_that_sends_at_once_is_bounded_too(ask, cap, standing):
    """No policy governs withdrawals: the cap is all that there is."""
    Policy.objects.filter(workflow="initiate_withdrawal").delete()
    cap(daily="12800")
    assert [ask("0.1").state for _ in range(2)] == [State.EXECUTED] * 2
    with pytest.raises(OverCap):
        ask("0.0005")
    assert standing()[1] == 0


def test_without_a_cap_it_costs_no_statement_more(ask, cap):
    """And with one of a day, one more."""
    ask("0.1")
    costs = []
    for caps in ({}, {"once": "64000"}, {"daily": "640000"}):
        cap(**caps)
        with CaptureQueriesContext(connection) as queries:
            ask("0.1")
        costs.append(len(queries))
    assert costs == [costs[0], costs[0], costs[0] + 1]
