"""Withdrawals by members: what is typed, what is shown again, and that one form asks once."""

import re
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from policies.access import grant
from policies.changes import ask_again, cancel
from policies.models import ChangeRequest, Grant, Policy, State
from policies.workflows import Right, Workflow
from portal.core.errors import Refused
from portal.core.factors import TOTP
from portal.core.web.http import Proof
from portal.treasury.idempotency import SentForm, digest_of
from portal.treasury.models import Address, Withdrawal
from portal.treasury.quotes import preview
from tests.factories.world import BTC_COLD
from tests.venues.conftest import together

LIST, NEW, PREVIEW = "/withdrawals/", "/withdrawals/new/", "/withdrawals/new/preview/"
HAD = 124_000_000_000
ASKED = 12_500_000_000
# What security IN-2 names, and the boundaries of what an amount may be.
NO_AMOUNTS = (
    "", " ", "-1", "+1", "1e2", "1E2", "1_000", " 1.25", "1.25 ", "1 000", "1,25", ".5", "1.", "0", "-0", "0.0", "NaN",
    "Infinity", "\u0661", "\uff11", "1\u202e", "1\u200b", "1\0", "0x10", "1" * 21, "1." + "1" * 19, "9" * 10_000,
)  # fmt: skip


@pytest.fixture
def browser(sign_in):
    """Somebody at a browser of their own."""

    def opened(member) -> Client:
        client = Client()
        sign_in(client, member)
        return client

    return opened


@pytest.fixture
def typed():
    def form(amount="1.25", key="btc-cold", note="payroll") -> dict[str, object]:
        return {"address": Address.objects.get(key=key, removed_at=None).pk, "amount": amount, "note": note}

    return form


def confirm(client, url, **form):
    """Press the button of a review, with the digest that it shows."""
    page = client.get(url)
    assert page.status_code == 200, page
    return client.post(url, {"digest": page.context["form"]["digest"].value(), **form})


def text(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", answer.content.decode()))


def errors(answer) -> dict[str, list[str]]:
    return {name: list(found) for name, found in answer.context["form"].errors.items()}


def ungoverned():
    Policy.objects.filter(workflow="initiate_withdrawal").delete()


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


class TestAtOnce:
    """DESIGN P2: who holds Execute, where nothing asks for more."""

    def test_it_takes_a_factor_for_exactly_this(self, browser, typed, owner, code, standing):
        """SU-2: money is always fresh, and its step-up is bound to what was reviewed."""
        ungoverned()
        client = browser(owner)
        review = client.post(NEW, typed()).url
        page = client.get(review)
        assert "You send" in text(page)
        assert page.context["form"].asks_code, "although the sign-in was moments ago"

        assert "code" in errors(confirm(client, review))
        assert standing() == (HAD, 0)

        answer = confirm(client, review, code=code(owner))

        assert answer["Location"] == reverse("treasury:withdrawal", args=[Withdrawal.objects.get().reference])
        assert standing() == (HAD - ASKED, 0)

    def test_a_factor_shown_for_one_does_not_serve_another(self, browser, typed, owner, code, standing):
        """SU-2: step up for A, post a Decision for B."""
        ungoverned()
        client = browser(owner)
        first, second = client.post(NEW, typed()).url, client.post(NEW, typed("2")).url
        code_of_first = code(owner)
        confirm(client, first, code=code_of_first)

        for form in ({"code": code_of_first}, {}):
            assert "code" in errors(confirm(client, second, **form))
        assert standing() == (HAD - ASKED, 0)

    @pytest.mark.parametrize("proof", ["none", "loose", "of another form", "of other content", "stale"])
    def test_the_road_itself_refuses_what_was_not_proved(self, proof, owner, ask, standing, world):
        """SU-2: also where a policy was taken away between the review, which said that it waits, and the button."""
        ungoverned()
        at = timezone.now() - timedelta(seconds=301 if proof == "stale" else 0)
        digest = digest_of(preview(Address.objects.get(key="btc-cold"), Decimal("1.25")).params(Decimal("0.00005")))
        proofs = {
            "none": None,
            "loose": Proof(TOTP, at),
            "of another form": Proof(TOTP, at, "B" * 16, digest),
            "of other content": Proof(TOTP, at, "A" * 16, "0" * 64),
            "stale": Proof(TOTP, at, "A" * 16, digest),
        }

        with pytest.raises(Refused, match="factor"):
            ask(actor=owner, api_key=None, form=SentForm("A" * 16, digest, proofs[proof]))
        with pytest.raises(Refused, match="factor"):
            ask(actor=owner, api_key=None)
        assert standing() == (HAD, 0)
        assert not Withdrawal.objects.exists()

    def test_asking_again_takes_a_factor_for_exactly_this_as_well(self, browser, owner, ask, standing, code):
        """SU-2: what waited and was taken back goes out at once when it is asked anew under other rules."""
        waited = ask(actor=owner, api_key=None)
        cancel(waited.reference, actor=owner)
        ungoverned()
        client, again = browser(owner), reverse("policies:ask_again", args=[waited.reference])
        assert "sent at once" in text(client.get(again))

        answer = client.post(again, {"note": ""})

        assert "code" in errors(answer), "although the sign-in was moments ago"
        assert standing() == (HAD, 0)
        assert client.post(again, {"note": "", "code": code(owner)}).status_code == 302
        assert standing() == (HAD - ASKED, 0)

    @pytest.mark.parametrize("proof", ["none", "loose", "of another", "stale"])
    def test_nothing_is_sent_again_on_what_was_not_proved(self, proof, owner, ask, standing):
        """SU-2: asked of the operation too, where the rules change between the page and its button."""
        waited, at = ask(actor=owner, api_key=None), timezone.now()
        cancel(waited.reference, actor=owner)
        ungoverned()
        proofs = {
            "none": None,
            "loose": Proof(TOTP, at),
            "of another": Proof(TOTP, at, "B" * 16, waited.digest),
            "stale": Proof(TOTP, at - timedelta(seconds=301), waited.reference, waited.digest),
        }

        with pytest.raises(Refused, match="second factor"):
            ask_again(waited.reference, member=owner, proof=proofs[proof])
        assert standing() == (HAD, 0)


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


class TestOne:
    def test_it_shows_where_it_stands_and_its_request(self, browser, audit, ask, approve, ben, cleo, time_machine):
        time_machine.move_to(timezone.now(), tick=False)
        change = approve(ask(), ben)
        client, url = browser(audit), reverse("treasury:withdrawal", args=[change.withdrawal.reference])
        page = client.get(url)
        assert "Pending" in text(page)
        assert "On hold" in text(page)
        assert reverse("policies:request", args=[change.reference]) in page.content.decode()
        assert 'hx-trigger="every 20s"' in page.content.decode()

        approve(change, cleo)
        assert 'hx-trigger="every 2s"' in client.get(url).content.decode()
        time_machine.shift(10)

        now = client.get(f"{url}now/")
        assert "Success" in text(now)
        assert re.search(r"[0-9a-f]{64}", text(now))
        assert "hx-get" not in now.content.decode(), "what has arrived asks no more"

    def test_that_of_others_is_unknown(self, browser, audit, eve, ask, world):
        """AZ-2: foreign ids give 404 like unknown ids, fragments too; and another Account's."""
        url = reverse("treasury:withdrawal", args=[ask().withdrawal.reference])
        vault = Account.objects.create(organization=world.organization, name="Vault", created_at=timezone.now())
        Grant.objects.filter(member=audit, workflow=Workflow.INITIATE_WITHDRAWAL).delete()
        grant(audit, Workflow.INITIATE_WITHDRAWAL, Right.VIEW, vault)

        for client in (browser(eve), browser(audit)):
            for path in (url, f"{url}now/", "/withdrawals/AAAAAAA-BBBBBB-CCCCCC/"):
                assert client.get(path).status_code == 404

    def test_what_has_expired_is_shown_so_and_given_back(self, browser, audit, ask, standing, time_machine):
        """CR-12: nobody has to wait for a job."""
        time_machine.move_to(timezone.now(), tick=False)
        change = ask()
        time_machine.shift(72 * 3600)

        assert "Expired" in text(browser(audit).get(reverse("treasury:withdrawal", args=[change.withdrawal.reference])))
        assert standing() == (HAD, 0)


class TestList:
    def test_it_is_filtered_by_account_asset_and_state(self, browser, audit, ask, approve, ben, cleo, world):
        approve(ask("1"), ben, cleo)
        ask("2", key="eth-cold", asset="ETH")
        get = browser(audit).get

        for query, shown, hidden in (
            ({"asset": "XXBT"}, "btc-cold", "eth-cold"),
            ({"state": "pending"}, "eth-cold", "btc-cold"),
            ({"state": "executed", "account": world.account.pk}, "btc-cold", "eth-cold"),
        ):
            page = text(get(LIST, query))
            assert f"To {shown}" in page
            assert f"To {hidden}" not in page
        assert "No withdrawal fits this filter." in text(get(LIST, {"state": "failed"}))
        everything = text(get(LIST, {"state": "password", "asset": "'", "account": "10" * 99, "after": "%%%"}))
        assert "To btc-cold" in everything
        assert "To eth-cold" in everything

    def test_its_polling_is_no_activity_and_keeps_the_filter(self, browser, audit, ask, time_machine):
        """SI-7: poll every minute for 31 frozen minutes, be signed out."""
        time_machine.move_to(timezone.now(), tick=False)
        change = ask()
        client = browser(audit)
        url = client.get(LIST, {"state": "pending"}).context["now_url"]
        assert url == "/withdrawals/now/?state=pending"
        one = f"{reverse('treasury:withdrawal', args=[change.withdrawal.reference])}now/"

        for _ in range(3):
            assert client.get(url).status_code == client.get(one).status_code == 200
            time_machine.shift(601)

        assert client.get(url, headers={"HX-Request": "true"})["HX-Redirect"] == "/sign-in/"

    def test_it_takes_as_many_queries_filtered_for_many_rows(self, browser, audit, ask):
        client = browser(audit)

        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                client.get(LIST, {"asset": "XXBT", "state": "pending"})
            return len(captured)

        ask("0.01")
        queries()
        before = queries()
        for _ in range(9):
            ask("0.01")
        assert queries() == before
