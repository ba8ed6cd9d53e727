"""The network fee that was asked is a ceiling: people approve it, less is taken as it is, more fails (DESIGN K7)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from policies.changes import ask_again, execute
from policies.models import ChangeRequest, State
from portal.audit.models import AuditEvent
from portal.core.errors import Unavailable
from portal.treasury.models import Address, Withdrawal
from portal.venues.errors import FeeRose
from portal.venues.paper import networks
from portal.venues.paper.venue import PaperVenue
from portal.venues.types import Stage
from tests.api.calls import Wire
from tests.treasury.conftest import VENUE

pytestmark = pytest.mark.django_db
ASKED = 125 * 10**8
FEE = 500_000


def asked_change() -> ChangeRequest:
    return ChangeRequest.objects.get(operation="treasury.withdraw")


@pytest.fixture
def takes(monkeypatch):
    """Let the Bitcoin network take another fee from now on."""

    def taken(fee: str) -> None:
        place = ("XXBT", "bitcoin")
        monkeypatch.setitem(networks._BY_NAME, place, replace(networks._BY_NAME[place], fee=Decimal(fee)))

    return taken


@pytest.mark.parametrize(("fee", "units"), [("0.00005", FEE), ("0.00003", 300_000), ("0", 0)])
def test_a_fee_that_fell_or_stayed_is_booked_as_it_is(ask, approve, ben, cleo, takes, standing, world, fee, units):
    """fault rules-K7: the amount leaves as it was approved, and more of it arrives."""
    before, _ = standing()
    change = ask()
    takes(fee)
    assert approve(change, ben, cleo).state == State.EXECUTED
    row = VENUE.withdrawal(change.withdrawal.reference)
    assert (row.fee_units, row.amount_units, row.stage) == (units, ASKED - units, Stage.INITIAL)
    assert standing() == (before - ASKED, 0)
    assert Withdrawal.objects.get().fee_units == units
    sent = AuditEvent.objects.filter(kind="withdrawal.sent").latest("pk")
    assert Decimal(sent.data["fee"]) == Decimal(fee)
    assert Decimal(sent.data["amount"]) == Decimal("1.25")


def test_a_fee_is_booked_as_it_was_also_where_the_answer_was_lost(ask, approve, ben, cleo, takes, monkeypatch):
    """Our books and the history must not keep the most that was asked, nor leave out that it was sent (R8, K7)."""
    change = ask()
    takes("0.00003")
    send = PaperVenue.send_withdrawal

    def lost(self, reference):
        raise Unavailable("The exchange did not answer.")

    monkeypatch.setattr(PaperVenue, "send_withdrawal", lost)
    assert approve(change, ben, cleo).state == State.APPROVED
    monkeypatch.setattr(PaperVenue, "send_withdrawal", send)
    VENUE.send_withdrawal(change.withdrawal.reference)
    assert execute(change.reference).state == State.EXECUTED
    assert Withdrawal.objects.get().fee_units == 300_000
    sent = AuditEvent.objects.get(kind="withdrawal.sent")
    assert Decimal(sent.data["fee"]) == Decimal("0.00003")


def test_a_fee_that_rose_fails_with_words_and_gives_the_money_back(ask, approve, ben, cleo, takes, standing):
    """fault rules-K7: nobody approved so much."""
    before = standing()
    change = ask()
    takes("0.00006")
    done = approve(change, ben, cleo)
    assert done.state == State.FAILED
    for said in ("takes 0.00006 BTC now", "0.00005 BTC at most was asked for", "Ask for a new withdrawal"):
        assert said in done.reason
    assert standing() == before
    assert VENUE.withdrawal(change.withdrawal.reference).stage is Stage.CANCELED


def test_asking_again_does_not_get_around_it(ask, approve, ana, ben, cleo, takes):
    """fault rules-K7: what is asked again was shown with the old ceiling."""
    change = ask(actor=ana, api_key=None)
    takes("0.00006")
    assert approve(change, ben, cleo).state == State.FAILED
    with pytest.raises(FeeRose, match="Ask for a new withdrawal"):
        ask_again(change.reference, member=ana)


def test_max_fee_is_heard_when_it_is_asked(treasury_bot, takes, settings):
    """fault rules-K7: by API, in the protocol's own string."""
    settings.API_LIMITS = False
    wire = Wire(treasury_bot)
    asked = {"asset": "XBT", "key": "btc-cold", "amount": "1.25"}
    assert wire.error("Withdraw", **asked, max_fee="0.00004") == "EFunding:Max fee exceeded"
    takes("0.00004")
    wire.result("Withdraw", **asked, max_fee="0.00004")
    (row,) = wire.result("WithdrawStatus", asset="XBT")
    assert (row["fee"], row["amount"]) == ("0.0000400000", "1.2499600000")


def test_a_bot_sees_the_ceiling_then_the_fee(treasury_bot, approve, ben, cleo, takes, settings):
    """fault rules-K7"""
    settings.API_LIMITS = False
    wire = Wire(treasury_bot)
    wire.result("Withdraw", asset="XBT", key="btc-cold", amount="1.25")
    takes("0.00001")
    (row,) = wire.result("WithdrawStatus", asset="XBT")
    assert (row["fee"], row["amount"], row["status-prop"]) == ("0.0000500000", "1.2499500000", "onhold")
    approve(asked_change(), ben, cleo)
    (row,) = wire.result("WithdrawStatus", asset="XBT")
    assert (row["fee"], row["amount"]) == ("0.0000100000", "1.2499900000")
    entry = next(iter(wire.result("Ledgers", type="withdrawal")["ledger"].values()))
    assert (entry["amount"], entry["fee"]) == ("-1.2499900000", "0.0000100000")


NEW = "/withdrawals/new/"


@pytest.fixture
def review(client, sign_in, ana):
    """The address of a page that shows 1.25 BTC to btc-cold, to be confirmed."""
    sign_in(client, ana)
    address = Address.objects.get(key="btc-cold")
    return client.post(NEW, {"address": address.pk, "amount": "1.25", "note": "payroll"}).url


def test_the_page_says_at_most_and_a_fee_that_fell_meanwhile_goes_through(client, review, takes):
    """fault rules-K7: what was shown is the ceiling, in the review and in the request."""
    page = client.get(review)
    assert "network fee of at most 0.00005 BTC included" in page.content.decode()
    takes("0.00002")
    answer = client.post(review, {"digest": page.context["form"]["digest"].value()})
    change = asked_change()
    assert answer.url == f"/requests/{change.reference}/"
    assert change.params["fee"] == "0.00005"
    assert "network fee of at most 0.00005 BTC included" in client.get(answer.url).content.decode()


def test_a_fee_that_rose_before_it_was_asked_leads_back_with_words(client, review, takes):
    """fault rules-K7: with all that was typed."""
    digest = client.get(review).context["form"]["digest"].value()
    takes("0.00009")
    answer = client.post(review, {"digest": digest}, follow=True)
    text = answer.content.decode()
    assert "The network fee has risen from 0.00005 to 0.00009 BTC." in text
    assert 'value="1.25"' in text
    assert not ChangeRequest.objects.filter(operation="treasury.withdraw").exists()


def test_the_request_says_what_was_taken_once_it_is_sent(client, review, takes, approve, ben, cleo):
    """fault rules-K7"""
    page = client.get(review)
    answer = client.post(review, {"digest": page.context["form"]["digest"].value()})
    takes("0.00001")
    approve(asked_change(), ben, cleo)
    for url in (answer.url, f"/withdrawals/{Withdrawal.objects.get().reference}/"):
        assert "network fee of 0.00001 BTC included; 1.24999 BTC arrives" in client.get(url).content.decode()
