"""Withdrawals by members: what is typed, what is shown again, and that one form asks once."""

from functools import partial

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from policies.access import grant
from policies.models import ChangeRequest, Grant, State
from policies.workflows import Right, Workflow
from portal.treasury.models import Address, Withdrawal
from tests.factories.world import BTC_COLD
from tests.treasury.conftest import ASKED, HAD
from tests.treasury.views.pages import NEW, PREVIEW, confirm, errors, text
from tests.venues.conftest import together

# What security IN-2 names, and the boundaries of what an amount may be.
NO_AMOUNTS = (
    "", " ", "-1", "+1", "1e2", "1E2", "1_000", " 1.25", "1.25 ", "1 000", "1,25", ".5", "1.", "0", "-0", "0.0", "NaN",
    "Infinity", "\u0661", "\uff11", "1\u202e", "1\u200b", "1\0", "0x10", "1" * 21, "1." + "1" * 19, "9" * 10_000,
)  # fmt: skip


def test_a_members_withdrawal_takes_the_same_road_as_a_bots(browser, typed, ana, standing, approve, ben, cleo):
    """It is reviewed, held, waits for the same approvals, and goes."""
    client = browser(ana)
    review = client.post(NEW, typed()).url
    assert not ChangeRequest.objects.filter(operation="treasury.withdraw").exists(), "nothing is asked by typing"

    asked = confirm(client, review)

    change = ChangeRequest.objects.get(operation="treasury.withdraw")
    assert asked.url == reverse("policies:request", args=[change.reference])
    assert (change.state, change.approvals_required, change.member, change.note) == ("pending", 2, ana, "payroll")
    assert standing() == (HAD - ASKED, ASKED)
    assert approve(change, ben, cleo).state == State.EXECUTED


def test_the_review_repeats_all_of_it(browser, typed, ana):
    """SU-3 and CR-15: full address, amounts with asset, fee, balance before and after, the note as theirs."""
    client = browser(ana)

    page = text(client.get(client.post(NEW, typed(note="for <b>May</b>")).url))

    for said in ("You ask to send 1.25 BTC from Main",
                 "network fee of at most 0.00005 BTC included; 1.24995 BTC or more arrives",
                 BTC_COLD, "12.4000000000 → 11.1500000000 BTC", "for &lt;b&gt;May&lt;/b&gt;",
                 "This will wait for 2 approvals.", "Nothing has been sent to this address before."):  # fmt: skip
        assert said in page, said


@pytest.mark.parametrize("amount", NO_AMOUNTS)
def test_an_amount_that_cannot_be_is_refused_beside_it_and_kept(amount, browser, typed, ana):
    """IN-2: the list, in page."""
    answer = browser(ana).post(NEW, typed(amount))

    assert "amount" in errors(answer)
    assert answer.context["form"]["amount"].value() == amount
    assert not ChangeRequest.objects.filter(operation="treasury.withdraw").exists()


@pytest.mark.parametrize(
    ("form", "field", "said"),
    [
        ({"amount": "12.40000001"}, "amount", "12.4 BTC free"),
        ({"amount": "0.00049"}, "amount", "0.0005 BTC or more"),
        ({"amount": "1.000000001"}, "amount", "At most 8 decimals"),
        ({"amount": "99999999999999999999"}, "amount", "out of range"),
        ({"note": "x" * 501}, "note", "500"),
        ({"note": "a\u202eb"}, "note", "U+202E"),
        ({"address": ""}, "address", "required"),
        ({"address": "0"}, "address", "valid choice"),
        ({"address": "btc-cold"}, "address", "valid choice"),
        ({"address": "9" * 10_000}, "address", "valid choice"),
    ],
)
def test_what_cannot_be_sent_is_refused_beside_its_field(form, field, said, browser, typed, ana):
    """IN-1: each boundary +1."""
    answer = browser(ana).post(NEW, {**typed(), **form})

    assert said in " ".join(errors(answer)[field])


def test_addresses_and_accounts_of_others_cannot_be_posted(browser, typed, world, ana, eve):
    """AZ-3: post another organization's pk; and that of another Account of one's own."""
    client, theirs = browser(ana), Address.objects.get(key="eve-cold")
    vault = Account.objects.create(organization=world.organization, name="Vault", created_at=timezone.now())

    assert "address" in errors(client.post(NEW, {**typed(), "address": theirs.pk}))
    assert "address" in errors(client.post(NEW, typed(), query_params={"account": vault.pk}))
    assert client.post(NEW, typed(), query_params={"account": theirs.account_id}).status_code == 404
    assert client.get(PREVIEW, {"account": theirs.account_id, "address": theirs.pk}).status_code == 404
    assert "free" not in text(client.get(PREVIEW, {"address": theirs.pk, "amount": "1"})).lower().replace("is free", "")


def test_a_right_on_one_account_asks_from_that_one_only(browser, typed, world, ana):
    """AZ-2: per-Account rights, on every step."""
    client = browser(ana)
    review = client.post(NEW, typed()).url
    vault = Account.objects.create(organization=world.organization, name="Vault", created_at=timezone.now())
    Grant.objects.filter(member=ana, workflow=Workflow.INITIATE_WITHDRAWAL).delete()
    grant(ana, Workflow.INITIATE_WITHDRAWAL, Right.INITIATE, vault)

    assert client.get(NEW, {"account": world.account.pk}).status_code == 404
    assert client.post(review, {"digest": "x"}).url == NEW
    assert not ChangeRequest.objects.filter(operation="treasury.withdraw").exists()
    assert "There is no address to send to." in text(client.get(NEW))


@pytest.mark.parametrize("path", [NEW, PREVIEW, f"{NEW}review/x/"])
def test_who_may_not_ask_is_refused(path, browser, audit, ben):
    for member in (audit, ben):
        assert browser(member).get(path).status_code == 403


def test_a_review_is_for_who_began_it_and_for_an_hour(browser, typed, ana, owner, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    client = browser(ana)
    review = client.post(NEW, typed()).url

    assert browser(owner).get(review).url == NEW, "another member's"
    assert client.get(review[:-3] + "AA/").url == NEW, "altered"
    time_machine.shift(3601)
    assert browser(ana).get(review).url == NEW, "late"


def test_one_form_asks_once_however_often_it_is_sent(browser, typed, ana, standing):
    """AP-14: a second submit of the same form, by double click or back button, asks nothing."""
    client = browser(ana)
    review = client.post(NEW, typed()).url
    digest = client.get(review).context["form"]["digest"].value()
    client.post(review, {"digest": digest})

    for answer in (client.post(review, {"digest": digest}, follow=True), client.get(review, follow=True)):
        assert "This was asked already, as request" in text(answer)
    assert Withdrawal.objects.count() == 1
    assert standing() == (HAD - ASKED, ASKED)


def test_a_second_like_withdrawal_is_allowed_and_marked(browser, typed, ana, ben):
    """AP-14: a second like withdrawal within 24 h is marked on the request page; and before it is asked."""
    client = browser(ana)
    confirm(client, client.post(NEW, typed()).url)
    review = client.post(NEW, typed()).url

    assert "You asked for the same amount to the same address within 24 hours." in text(client.get(review))
    answer = confirm(client, review)

    assert Withdrawal.objects.count() == 2
    page = text(browser(ben).get(answer.url))
    assert "Ana Ruiz asked for the same amount to the same address within 24 hours." in page


@pytest.mark.parametrize("edit", [{"address": "bc1qattacker"}, {"memo": "9"}, {"key": "other"}])
def test_what_was_reviewed_is_what_is_asked(edit, browser, typed, ana):
    """CR-2, CR-6: the address is edited between review and button: nothing is asked, and the page shows it anew."""
    client = browser(ana)
    review = client.post(NEW, typed()).url
    digest = client.get(review).context["form"]["digest"].value()
    Address.objects.filter(key="btc-cold").update(**edit)

    answer = client.post(review, {"digest": digest})

    assert "has changed since you looked" in text(answer)
    assert not ChangeRequest.objects.filter(operation="treasury.withdraw").exists()


def test_an_address_removed_meanwhile_leads_back_to_the_form(browser, typed, ana):
    client = browser(ana)
    review = client.post(NEW, typed()).url
    Address.objects.filter(key="btc-cold").update(removed_at=timezone.now())

    assert "not in the book any more" in text(client.post(review, {"digest": "x"}, follow=True))


def test_money_gone_meanwhile_leads_back_with_all_that_was_typed(browser, typed, ana, ask):
    client = browser(ana)
    review = client.post(NEW, typed("12")).url
    ask("1")

    answer = client.post(review, {"digest": "x"}, follow=True)

    assert "The Account has 11.4 BTC free." in text(answer)
    form = answer.context["form"]
    assert (form["amount"].value(), form["note"].value()) == ("12", "payroll")


@pytest.mark.django_db(transaction=True)
def test_a_double_click_asks_once(sign_in, typed, ana, world):
    """AP-14: two posts of one form at the same moment, on connections of their own."""
    client = Client()
    sign_in(client, ana)
    review = client.post(NEW, typed())["Location"]
    digest = client.get(review).context["form"]["digest"].value()

    def click():
        twin = Client()
        twin.cookies = client.cookies
        return twin.post(review, {"digest": digest}).status_code

    assert together(click, click) == [302, 302]
    assert Withdrawal.objects.count() == 1
    assert ChangeRequest.objects.filter(operation="treasury.withdraw").count() == 1


class TestPreview:
    def test_it_says_fee_minimum_and_what_is_left(self, browser, typed, ana):
        page = text(browser(ana).get(PREVIEW, {"address": typed()["address"], "amount": "1.25"}))

        for said in ("12.4 BTC", "→ 11.15 BTC afterwards", "0.00005 BTC", "1.24995 BTC arrives", "0.0005 BTC, fee"):
            assert said in page, said

    def test_it_says_what_is_wrong_and_holds_nothing(self, browser, typed, ana, standing):
        get = partial(browser(ana).get, PREVIEW)

        assert "The Account has 12.4 BTC free." in text(get({"address": typed()["address"], "amount": "13"}))
        assert "Write the amount in digits" in text(get({"address": typed()["address"], "amount": "1e5"}))
        assert "Choose an address" in text(get({"amount": "1"}))
        assert standing() == (HAD, 0)
