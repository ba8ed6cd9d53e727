"""What an Account has and what moved, by page: for who may View Initiate Withdrawal there."""

import re
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, Member, Organization
from policies.access import grant
from policies.models import Grant
from policies.workflows import Right, Workflow
from portal.venues.paper import funding
from portal.venues.registry import venue

BALANCES = "/balances/"


@pytest.fixture
def vault(world) -> Account:
    return Account.objects.create(organization=world.organization, name="Vault", created_at=timezone.now())


def text(answer) -> str:
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", answer.content.decode()))


def test_it_says_what_the_account_is_worth_in_the_organizations_currency(browser, audit, account):
    """DESIGN O2: the currency is the one in which worth is told (fault pages-B17)."""
    worth = venue(account.venue).trade_balance(account.pk, "USD").equivalent
    assert worth > 0
    assert re.search(r"Worth [0-9,]+\.[0-9]{2} USD at the exchange", text(browser(audit).get(BALANCES)))


def test_a_currency_without_prices_is_said_plainly(browser, audit, account):
    """Fault pages-B17: no total is better than a wrong one."""
    Organization.objects.filter(pk=account.organization_id).update(currency="CHF")
    shown = text(browser(audit).get(BALANCES))
    assert "no prices in CHF" in shown
    assert "Worth" not in shown


def test_no_organization_reckons_in_what_is_no_currency(account):
    """Fault pages-B17: the database says it last."""
    with pytest.raises(IntegrityError, match="organization_currency_known"), transaction.atomic():
        Organization.objects.filter(pk=account.organization_id).update(currency="ZZZ")


def test_it_says_what_there_is_what_is_held_and_what_moved(browser, audit, ask, approve, ben, cleo, world):
    """fault pages-C25: with a minus, and not a hyphen."""
    sent = approve(ask("1.25"), ben, cleo)
    ask("2")

    answer = browser(audit).get(BALANCES)

    (btc,) = [row for row in answer.context["standing"] if row.code == "BTC"]
    assert (btc.total, btc.by_orders, btc.by_withdrawals, btc.free) == (
        "11.1500000000", "0.0000000000", "2.0000000000", "9.1500000000",
    )  # fmt: skip
    first = answer.context["movements"][0]
    assert (first.kind, first.amount, first.fee, first.balance) == (
        "withdrawal", "\N{MINUS SIGN}1.2499500000", "0.0000500000", "11.1500000000",
    )  # fmt: skip
    assert reverse("treasury:withdrawal", args=[sent.withdrawal.reference]) in answer.content.decode()
    assert "Deposit" in text(answer)
    assert "Withdraw" not in re.findall(r'class="button button--primary"[^>]*>([^<]*)<', answer.content.decode())


def test_balances_of_others_are_unknown(browser, audit, eve, world, vault):
    """AZ-2, AZ-7: another Organization's Account, and one that the right does not name."""
    theirs = Account.objects.get(organization=eve.organization)
    Grant.objects.filter(member=audit, workflow=Workflow.INITIATE_WITHDRAWAL).delete()
    grant(audit, Workflow.INITIATE_WITHDRAWAL, Right.VIEW, vault)
    client = browser(audit)

    for pk in (theirs.pk, world.account.pk, 10**12):
        assert client.get(f"{BALANCES}{pk}/").status_code == 404
    page = text(client.get(BALANCES))
    assert "What Vault has" in page
    assert "Nothing was paid in yet." in page
    assert "Main" not in page


def test_who_is_not_identified_yet_looks_on_and_is_offered_nothing(browser, ana):
    """DESIGN M3: the right alone opens nothing but looking."""
    client = browser(ana)
    offer = re.compile(r'class="button button--primary"\s+href="[^"]*">Withdraw<')
    assert offer.search(client.get(BALANCES).content.decode())
    Member.objects.filter(pk=ana.pk).update(identity="unverified")
    page = client.get(BALANCES)
    assert page.status_code == 200
    assert not offer.search(page.content.decode())


def test_who_may_not_view_is_refused(browser, audit):
    Grant.objects.filter(member=audit, workflow=Workflow.INITIATE_WITHDRAWAL).delete()

    assert browser(audit).get(BALANCES).status_code == 403


def test_what_moved_comes_in_pages_without_gap_or_repeat(browser, audit, vault):
    for number in range(110):
        funding.deposit(vault.pk, "BTC" if number % 2 else "ETH", Decimal(1), reference=f"in-{number}")
    client, url = browser(audit), f"{BALANCES}{vault.pk}/"

    shown, after = [], ""
    for _ in range(5):
        context = client.get(url, {"after": after} if after else {}).context
        shown += [row.id for row in context["movements"]]
        after = context["page"]["next"]
        if after is None:
            break
        funding.deposit(vault.pk, "BTC", Decimal(1), reference=f"meanwhile-{len(shown)}")
    assert len(shown) == len(set(shown)) == 110

    of_eth = client.get(url, {"asset": "XETH"}).context
    assert {row.code for row in of_eth["movements"]} == {"ETH"}
    for bad in ("%%%", "x" * 999, "LAAAAA-BBBBB-CCCCCC"):
        assert client.get(url, {"after": bad, "asset": "password"}).context["movements"]


def test_it_takes_as_many_queries_for_many_rows_as_for_one(browser, audit, vault):
    client, url = browser(audit), f"{BALANCES}{vault.pk}/"

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(url)
        return len(captured)

    funding.deposit(vault.pk, "BTC", Decimal(1), reference="first")
    queries()
    before = queries()
    for number in range(30):
        funding.deposit(vault.pk, "BTC", Decimal(1), reference=f"in-{number}")
    assert queries() == before
