import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from policies.access import grant
from policies.models import Grant
from policies.workflows import Right, Workflow
from portal.treasury.models import Address
from portal.venues.paper import funding
from tests.factories.world import BTC_COLD

ADDRESSES, WITHDRAWALS = "/addresses/", "/withdrawals/"
WORKFLOW = {ADDRESSES: Workflow.MANAGE_ADDRESSES, WITHDRAWALS: Workflow.INITIATE_WITHDRAWAL}


@pytest.fixture
def seen(sign_in):
    """What a member is shown at a path, in a browser of their own."""

    def get(member, path, **query) -> str:
        client = Client()
        sign_in(client, member)
        answer = client.get(path, query)
        assert answer.status_code == 200, answer.content.decode()
        return answer.content.decode()

    return get


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html))


@pytest.fixture
def vault(world) -> Account:
    """A second Account, with one address and some bitcoin."""
    account = Account.objects.create(organization=world.organization, name="Vault", created_at=timezone.now())
    add_address(account, "vault-cold")
    funding.deposit(account.pk, "BTC", Decimal(5), reference="vault")
    return account


def add_address(account, key, asset="XXBT", method="Bitcoin", network="Bitcoin") -> Address:
    return Address.objects.create(
        organization_id=account.organization_id, account=account, key=key, asset=asset, method=method,
        network=network, address=BTC_COLD, added_by="Olive Marsh", added_at=timezone.now(),
    )  # fmt: skip


def narrow(member, path, account) -> None:
    """Let the member view one Account only."""
    Grant.objects.filter(member=member, workflow=WORKFLOW[path]).delete()
    grant(member, WORKFLOW[path], Right.VIEW, account)


def test_the_routes_are_where_people_expect_them():
    assert reverse("treasury:addresses") == ADDRESSES
    assert reverse("treasury:withdrawals") == WITHDRAWALS


@pytest.mark.parametrize("path", [ADDRESSES, WITHDRAWALS])
def test_who_may_not_view_is_refused(path, client, sign_in, audit):
    Grant.objects.filter(member=audit, workflow=WORKFLOW[path]).delete()
    sign_in(client, audit)

    assert client.get(path).status_code == 403


@pytest.mark.parametrize("path", [ADDRESSES, WITHDRAWALS])
def test_nothing_is_posted_to_a_list(path, client, sign_in, audit):
    sign_in(client, audit)

    assert client.post(path).status_code == 405


@pytest.mark.parametrize("path", [ADDRESSES, WITHDRAWALS])
def test_a_stranger_is_sent_to_sign_in(path, client, world):
    answer = client.get(path)

    assert answer.status_code == 302
    assert answer.url.startswith("/sign-in/")


def test_addresses_show_all_of_where_money_can_go(seen, audit):
    html = seen(audit, ADDRESSES)

    for key in ("btc-cold", "eth-cold", "usd-bank"):
        assert key in html
    assert BTC_COLD in plain(html)
    assert "by Olive Marsh" in plain(html)


def test_addresses_next_door_are_not_shown(seen, audit, eve):
    """AZ-2: the other Organization, both ways."""
    assert "eve-cold" not in seen(audit, ADDRESSES)
    assert "btc-cold" not in seen(eve, ADDRESSES)


def test_addresses_are_filtered_by_asset(seen, audit):
    html = seen(audit, ADDRESSES, asset="XETH")
    assert "eth-cold" in html
    assert "btc-cold" not in html
    assert "No address fits this filter." in seen(audit, ADDRESSES, asset="SOL")
    assert "btc-cold" in seen(audit, ADDRESSES, asset="password")


def test_addresses_of_other_accounts_are_not_shown(seen, audit, vault):
    """AZ-7: a right on one Account shows that Account."""
    narrow(audit, ADDRESSES, vault)

    html = seen(audit, ADDRESSES)

    assert "vault-cold" in html
    assert "btc-cold" not in html


def test_an_empty_book_says_what_that_means(seen, audit):
    Address.objects.all().update(removed_at=timezone.now())

    assert "There is no address yet." in seen(audit, ADDRESSES)


def test_a_withdrawal_shows_its_amount_its_request_and_how_far_it_is(
    seen, audit, ask, approve, ben, cleo, time_machine
):
    time_machine.move_to(timezone.now(), tick=False)
    change = ask()
    html = seen(audit, WITHDRAWALS)
    assert "Pending" in html
    assert reverse("treasury:withdrawal", args=[change.withdrawal.reference]) in html
    assert change.withdrawal.reference in html
    assert "1.25 BTC" in plain(html)

    approve(change, ben, cleo)
    time_machine.shift(10)

    assert "Success" in seen(audit, WITHDRAWALS)


def test_an_expired_withdrawal_is_shown_as_such_and_given_back(seen, audit, ask, standing, time_machine):
    """CR-12: nobody has to wait for a job."""
    time_machine.move_to(timezone.now(), tick=False)
    ask()
    time_machine.shift(72 * 3600)

    assert "Expired" in seen(audit, WITHDRAWALS)
    assert standing() == (124_000_000_000, 0)


def test_withdrawals_of_others_are_not_shown(seen, audit, eve, ask, ana, vault):
    """AZ-2 and AZ-7: another Organization's, and another Account's."""
    ask()
    ask(actor=ana, api_key=None, account=vault, key="vault-cold")
    narrow(audit, WITHDRAWALS, vault)

    html = seen(audit, WITHDRAWALS)

    assert "vault-cold" in html
    assert "btc-cold" not in html
    assert "Nothing was withdrawn yet." in seen(eve, WITHDRAWALS)


@pytest.mark.parametrize("path", [ADDRESSES, WITHDRAWALS])
def test_a_bad_cursor_shows_the_first_page(path, seen, audit, ask):
    ask()

    assert "btc-cold" in seen(audit, path, after="%%%")


def test_long_lists_come_in_pages(seen, audit, world):
    for number in range(60):
        add_address(world.account, f"cold-{number:02}")

    first = seen(audit, ADDRESSES)
    (following,) = re.findall(r'href="\?after=([^"&]+)" rel="next"', first)
    second = seen(audit, ADDRESSES, after=following)

    shown = [set(re.findall(r"(?:cold-\d\d|btc-cold|eth-cold|usd-bank)", page)) for page in (first, second)]
    assert (len(shown[0]), len(shown[1])) == (50, 13)
    assert not shown[0] & shown[1]


@pytest.mark.parametrize("path", [ADDRESSES, WITHDRAWALS])
def test_a_list_takes_as_many_queries_for_twenty_rows_as_for_one(
    path, client, sign_in, audit, ask, world, django_assert_num_queries
):
    sign_in(client, audit)
    ask("0.01")
    first = queries(client, path)
    for number in range(19):
        ask("0.01")
        add_address(world.account, f"cold-{number}")

    with django_assert_num_queries(first):
        client.get(path)


def queries(client, path) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    return len(captured)
