"""What a bot is told while its withdrawals are frozen, and its people on *Refused calls* (DESIGN §4, reference §15)."""

import pytest
from django.urls import reverse

from accounts.api_keys import usage
from accounts.models import RefusedCall
from policies.freezes.freeze import freeze
from policies.freezes.places import Place
from policies.models import ChangeRequest
from policies.workflows import Workflow
from portal.api.limits import lockout, refusal_events
from tests.api.calls import Wire

pytestmark = pytest.mark.django_db
ASKED = {"asset": "XBT", "key": "btc-cold", "amount": "0.25"}


@pytest.fixture
def wire(treasury_bot, settings) -> Wire:
    settings.API_LIMITS = False
    lockout.forget_all()
    refusal_events.forget_all()
    return Wire(treasury_bot)


@pytest.fixture
def frozen(ana, world):
    place = Place(Workflow.INITIATE_WITHDRAWAL, world.account.pk, world.account.name)
    return freeze(actor=ana, place=place, hours=1, reason="It is not ours.")


def test_a_withdrawal_is_refused_at_once_with_the_protocols_string_and_nothing_is_held(wire, frozen):
    before = wire.result("BalanceEx")
    assert wire.error("Withdraw", **ASKED) == "EGeneral:Permission denied"
    assert wire.result("BalanceEx") == before
    assert not ChangeRequest.objects.filter(operation="treasury.withdraw").exists()


def test_the_reason_is_for_its_people_on_refused_calls(wire, frozen, client, audit, sign_in):
    wire.error("Withdraw", **ASKED)
    usage.flush()
    said = RefusedCall.objects.get().facts["said"]
    assert said.startswith("Initiate Withdrawal from Main is frozen until")
    sign_in(client, audit)
    text = client.get(reverse("accounts:refused_calls", args=["treasury-bot", 1])).content.decode()
    assert "Initiate Withdrawal from Main is frozen until" in text
    assert "It is not ours." in text


def test_everything_else_of_it_goes_on(wire, frozen):
    """Reading, trading, what a withdrawal would cost, and taking one back."""
    assert wire.result("WithdrawInfo", **ASKED)["method"]
    assert wire.result("AddOrder", pair="XBTUSD", type="sell", ordertype="market", volume="0.01")


def test_what_was_asked_before_waits_as_it_did_and_can_be_taken_back(wire, ana, world):
    refid = wire.result("Withdraw", **ASKED)["refid"]
    place = Place(Workflow.INITIATE_WITHDRAWAL, world.account.pk, world.account.name)
    freeze(actor=ana, place=place, hours=1, reason="It is not ours.")
    (row,) = [row for row in wire.result("WithdrawStatus") if row["refid"] == refid]
    assert row["status"] == "Initial"
    assert wire.result("WithdrawCancel", asset="XBT", refid=refid) is True
