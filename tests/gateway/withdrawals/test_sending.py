"""What was agreed to is sent once, with the approved address and ceiling; what the exchange refuses fails so."""

from decimal import Decimal

import pytest

from policies.models import State
from portal.venues.kraken.models import Credential, Step
from tests.gateway.proxy import faults

pytestmark = pytest.mark.django_db
GROSS = Decimal("1.25")


def test_it_waits_for_people_then_for_the_exchange_and_is_executed_when_that_has_it(real):
    change = real.ask()
    assert (real.step(change), real.there()) == (Step.HELD, [])
    assert real.balance().held_by_withdrawals_units == 12_500_000_000
    real.approve(change)
    assert (real.step(change), real.state(change), real.there()) == (Step.INTENDED, State.APPROVED, [])
    real.tend()
    (sent,) = real.there()
    row = real.row(change)
    assert (row.step, row.refid, row.attempts) == (Step.ACCEPTED, sent["refid"], 1)
    assert Decimal(sent["amount"]) + Decimal(sent["fee"]) == GROSS
    assert real.state(change) == State.EXECUTED


def test_what_leaves_is_what_was_approved_with_its_address_and_its_ceiling(real):
    change = real.agreed()
    real.tend()
    (asked,) = real.proxy.requests("Withdraw")
    row = real.row(change)
    assert asked.key == real.withdrawing.public
    assert asked.fields == {
        "nonce": str(row.nonce),
        "asset": "XXBT",
        "key": "btc-cold",
        "amount": "1.2500000000",
        "address": change.params["address"],
        "max_fee": f"{Decimal(change.params['fee']):.10f}",
    }


def test_sent_once_however_often_it_is_tended(real):
    change = real.agreed()
    for _ in range(3):
        real.tend()
    assert len(real.proxy.requests("Withdraw")) == len(real.there()) == real.row(change).attempts == 1


def test_a_name_that_leads_elsewhere_by_now_fails_in_the_exchanges_words(real):
    change = real.agreed()
    real.customer.re_point("btc-cold", "bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh")
    real.tend()
    change.refresh_from_db()
    assert (change.state, real.there()) == (State.FAILED, [])
    assert change.reason.startswith("E")
    assert real.step(change) == Step.RELEASED
    assert real.balance().held_by_withdrawals_units == 0


def test_money_that_was_traded_away_fails_in_the_exchanges_words(real):
    change = real.agreed("12")
    real.customer.result("everything", "Withdraw", asset="XBT", key="btc-cold", amount="5")
    real.tend()
    change.refresh_from_db()
    assert (change.state, change.reason) == (State.FAILED, "EFunding:Invalid amount")
    assert len(real.there()) == 1


def test_a_fee_that_rose_above_the_ceiling_fails_in_the_exchanges_words(real):
    change = real.agreed()
    real.proxy.on("Withdraw", faults.error("EFunding:Max fee exceeded"))
    real.tend()
    change.refresh_from_db()
    assert (change.state, change.reason) == (State.FAILED, "EFunding:Max fee exceeded")


def test_a_credential_that_the_exchange_refuses_stops_and_what_it_was_to_send_fails(real):
    change = real.agreed()
    real.customer.revoke("withdraw")
    real.tend()
    change.refresh_from_db()
    assert (change.state, change.reason) == (State.FAILED, "EAPI:Invalid key")
    assert Credential.objects.get(pk=real.withdrawing.pk).stopped_at is not None


def test_with_a_stopped_credential_nothing_is_sent_and_it_waits(real):
    change = real.agreed()
    Credential.objects.filter(pk=real.withdrawing.pk).update(stopped_at=change.created_at)
    real.tend()
    assert (real.step(change), real.state(change)) == (Step.INTENDED, State.APPROVED)
    assert real.proxy.requests("Withdraw") == []
    assert "refused the credential" in real.row(change).trouble


def test_while_the_exchange_cannot_be_reached_it_waits_and_is_sent_once_it_can(real, later):
    change = real.agreed()
    with real.proxy.away():
        real.tend()
    assert (real.step(change), real.row(change).trouble) == (Step.INTENDED, "The exchange cannot be reached.")
    with later(11):
        real.tend()
    assert real.step(change) == Step.ACCEPTED
    assert len(real.there()) == 1


def test_what_is_not_agreed_any_more_is_not_sent(real):
    """Between the last approval and the sender: R5."""
    change = real.agreed()
    type(change).objects.filter(pk=change.pk).update(state=State.PENDING)
    real.tend()
    assert (real.step(change), real.there()) == (Step.INTENDED, [])


def test_more_than_is_free_is_not_held(real):
    real.ask("12")
    with pytest.raises(Exception, match=r"has 0\.5 BTC free"):
        real.ask("1")


def test_two_that_are_approved_together_are_sent_one_after_the_other(real):
    changes = [real.agreed("1"), real.agreed("2")]
    real.tend()
    assert [real.step(change) for change in changes] == [Step.ACCEPTED] * 2
    assert sorted(Decimal(row["amount"]) + Decimal(row["fee"]) for row in real.there()) == [1, 2]
