"""What people see of a withdrawal at the real exchange, and calling it back by page."""

import re

import pytest
from django.urls import reverse

from policies.models import ChangeRequest, Policy
from portal.core.errors import Refused
from portal.treasury.models import Address
from portal.venues.kraken.models import Step
from tests.gateway.proxy import faults
from tests.gateway.withdrawals.conftest import VENUE

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(real, ana):
    """Ana asked, two approved, and it was sent."""

    def ask(*, sent=True):
        change = real.ask(actor=ana, api_key=None)
        real.approve(change)
        if sent:
            real.tend()
        return change

    return ask


def page(client, change) -> str:
    text: str = client.get(reverse("treasury:withdrawal", args=[change.withdrawal.reference])).content.decode()
    return text


def says(real, **words):
    def changed(result):
        rows = result["withdrawals"] if isinstance(result, dict) else result
        for row in rows:
            row |= {name.replace("_", "-"): value for name, value in words.items()}
        return result

    real.proxy.on("WithdrawStatus", faults.changed(changed))


@pytest.mark.parametrize(
    ("words", "stage", "meaning"),
    [
        ({"status": "Pending"}, "Pending at the network", "has not sent it yet"),
        ({"status": "Pending", "status_prop": "onhold"}, "On hold by the exchange", "reasons of its own"),
        ({"status": "Pending", "status_prop": "return"}, "Sent back by the exchange", "sends it back"),
        ({"status": "Pending", "status_prop": "cancel-pending"}, "Being called back", "whether it can"),
        ({"status": "Failure", "status_prop": "canceled"}, "Called back", "before it left"),
        ({"status": "Failure"}, "Failure", "failed at the network"),
        ({"status": "Settled"}, "Settled", "waits for confirmations"),
        ({"status": "Success"}, "Success", "has arrived"),
        ({"status": "Brandnew"}, "Pending at the network", "Brandnew"),
    ],
)
def test_what_the_exchange_says_has_its_own_words(real, asked, client, ben, sign_in, later, words, stage, meaning):
    change = asked()
    says(real, **words)
    with later(10):
        real.tend()
    sign_in(client, ben)
    text = page(client, change)
    assert stage in text
    assert meaning in text
    assert f"{real.row(change).refid}: {words['status']}" in text


def test_while_it_is_looked_for_the_page_says_so(real, asked, client, ana, sign_in):
    real.proxy.on("Withdraw", faults.cut_before, times=1)
    change = asked()
    sign_in(client, ana)
    text = page(client, change)
    assert "Answer lost, looked for" in text
    assert "is not sent again" in text
    request = client.get(reverse("policies:request", args=[change.reference])).content.decode()
    assert "Answer lost, looked for" in request


def test_the_list_says_what_is_underway(real, asked, client, ana, sign_in):
    asked(sent=False)
    sign_in(client, ana)
    assert "About to be sent" in client.get(reverse("treasury:withdrawals")).content.decode()


def test_who_asked_calls_it_back(real, asked, client, ana, sign_in):
    real.customer.hold()
    change = asked()
    sign_in(client, ana)
    assert "Call it back" in page(client, change)
    client.post(reverse("treasury:call_back", args=[change.withdrawal.reference]))
    assert real.row(change).status_prop == "cancel-pending"
    assert "Being called back" in page(client, change)


def test_too_late_is_said(real, asked, client, ana, sign_in):
    change = asked()
    sign_in(client, ana)
    sent = client.post(reverse("treasury:call_back", args=[change.withdrawal.reference]), follow=True)
    assert "cannot be called back any more" in sent.content.decode()
    assert real.row(change).cancel_denied


def test_before_it_is_sent_it_never_is(real, asked, client, ana, sign_in):
    change = asked(sent=False)
    sign_in(client, ana)
    client.post(reverse("treasury:call_back", args=[change.withdrawal.reference]))
    real.tend()
    assert (real.step(change), real.there()) == (Step.RELEASED, [])


def test_who_did_not_ask_calls_nothing_back(real, asked, client, ben, sign_in):
    change = asked()
    sign_in(client, ben)
    sent = client.post(reverse("treasury:call_back", args=[change.withdrawal.reference]), follow=True)
    assert "Only who asked can cancel" in sent.content.decode()
    assert real.proxy.requests("WithdrawCancel") == []


def test_another_organizations_is_not_there(real, asked, client, world, sign_in):
    change = asked()
    sign_in(client, world.members["eve"])
    assert client.post(reverse("treasury:call_back", args=[change.withdrawal.reference])).status_code == 404


def test_an_exchange_that_is_away_is_said(real, asked, client, ana, sign_in):
    change = asked()
    sign_in(client, ana)
    with real.proxy.away():
        sent = client.post(reverse("treasury:call_back", args=[change.withdrawal.reference]), follow=True)
    assert "cannot be reached" in sent.content.decode()


def test_sent_at_once_by_who_may_execute_it_takes_their_second_factor_as_ever(real, owner):
    """SU-2 also where nothing has left yet when asking returns."""
    Policy.objects.filter(organization=real.account.organization).delete()
    with pytest.raises(Refused, match="second factor"):
        real.ask(actor=owner, api_key=None)
    assert real.there() == []


# --- Asking by page --------------------------------------------------------------------------------------------------


@pytest.fixture
def form(real, client, ana, sign_in):
    """What Ana types; the exchange's catalogue and ways out are known."""
    sign_in(client, ana)
    VENUE.withdrawal_methods()
    address = Address.objects.get(account=real.account, key="btc-cold")
    return {"address": address.pk, "amount": "0.5", "note": ""}


def test_asking_by_page_goes_by_what_the_exchange_takes_now(real, client, form, ana, code):
    real.proxy.on("WithdrawInfo", faults.changed(lambda result: {**result, "fee": "0.00012345"}))
    review = client.post(reverse("treasury:new_withdrawal"), form)
    text = client.get(review.url).content.decode()
    assert "0.00012345 BTC" in text
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', text)
    assert digest is not None
    asked = client.post(review.url, {"digest": digest[1], "code": code(ana)})
    change = ChangeRequest.objects.get(operation="treasury.withdraw")
    assert asked.url == reverse("policies:request", args=[change.reference])
    assert real.row(change).max_fee_units == 1_234_500


@pytest.mark.parametrize("name", ["treasury:new_withdrawal", "treasury:preview_withdrawal"])
def test_an_exchange_that_is_away_is_said_beside_the_amount(real, client, form, name):
    with real.proxy.away():
        call = client.post if name == "treasury:new_withdrawal" else client.get
        answer = call(reverse(name), form)
    assert answer.status_code == 200
    assert "cannot be reached" in answer.content.decode()


def test_an_exchange_that_is_away_at_the_review_leads_back(real, client, form):
    review = client.post(reverse("treasury:new_withdrawal"), form)
    with real.proxy.away():
        answer = client.get(review.url, follow=True)
    assert answer.status_code == 200
    assert "cannot be reached" in answer.content.decode()


def test_the_page_opens_while_the_exchange_is_away(real, client, form):
    with real.proxy.away():
        assert client.get(reverse("treasury:new_withdrawal")).status_code == 200
        assert client.get(reverse("treasury:new_withdrawal"), form).status_code == 200
