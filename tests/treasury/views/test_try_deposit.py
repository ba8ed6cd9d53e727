"""The page that lets something arrive, where the portal is tried out."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from portal.venues.paper.deposits.models import Deposit
from portal.venues.paper.venue import PaperVenue


@pytest.fixture
def page(account, settings):
    settings.DEBUG = True
    return reverse("treasury:try_deposit", args=[account.pk])


def text(response):
    return " ".join(response.content.decode().split())


def test_what_is_sent_arrives_a_few_seconds_later(client, sign_in, ana, account, page, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    sign_in(client, ana)
    before = {row.asset.code: row.units for row in PaperVenue().balances(account.pk)}

    answer = client.post(page, {"asset": "XXBT", "amount": "1.5"}, follow=True)

    assert "1.5 BTC is on its way to Main." in text(answer)
    assert "Seen by the network" in text(answer)
    time_machine.shift(5)
    assert "In the balance" in text(client.get(page))
    after = {row.asset.code: row.units for row in PaperVenue().balances(account.pk)}
    assert after["BTC"] - before["BTC"] == 15 * 10**9


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"asset": "XXBT", "amount": "1e3"}, "Write the amount in digits"),
        ({"asset": "XXBT", "amount": "0.00001"}, "or more"),
        ({"asset": "ZUSD", "amount": "100.00001"}, "At most 4 decimals"),
        ({"asset": "DOGE", "amount": "1"}, "not one of the available choices"),
        ({"asset": "XXBT", "amount": ""}, "required"),
    ],
)
def test_a_bad_amount_is_said_beside_its_field_and_nothing_is_sent(client, sign_in, ana, page, sent, said):
    there = Deposit.objects.count()
    sign_in(client, ana)
    answer = client.post(page, sent)

    assert answer.status_code == 200
    assert said in text(answer)
    assert Deposit.objects.count() == there


def test_it_is_for_who_may_initiate(client, sign_in, audit, page):
    sign_in(client, audit)
    assert client.get(page).status_code == 403
    assert client.post(page, {"asset": "XXBT", "amount": "1"}).status_code == 403


def test_another_organizations_account_is_unknown(client, sign_in, ana, eve, page):
    sign_in(client, ana)
    elsewhere = Account.objects.get(organization=eve.organization)
    assert client.get(reverse("treasury:try_deposit", args=[elsewhere.pk])).status_code == 404


def test_where_money_is_real_there_is_no_such_page(client, sign_in, ana, account, settings):
    sign_in(client, ana)
    settings.DEBUG = False
    page = reverse("treasury:try_deposit", args=[account.pk])
    assert client.get(page).status_code == 404
    assert client.post(page, {"asset": "XXBT", "amount": "1"}).status_code == 404
    assert page not in client.get(reverse("treasury:account_balances", args=[account.pk])).content.decode()
    settings.DEBUG = True
    assert page in client.get(reverse("treasury:account_balances", args=[account.pk])).content.decode()
