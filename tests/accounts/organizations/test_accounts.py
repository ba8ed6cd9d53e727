"""The page of the Accounts, and adding one (DESIGN O5)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account
from policies.models import ChangeRequest, Grant

pytestmark = pytest.mark.django_db
PAGE, NEW = "/accounts/", "/accounts/new/"


def test_the_page_lists_what_the_organization_has_and_nothing_next_door(client, owner, eve, sign_in, world):
    Account.objects.create(organization=world.elsewhere, name="Secret pot", created_at=timezone.now())
    sign_in(client, owner)
    text = client.get(PAGE).content.decode()
    assert "Main" in text
    assert 'data-label="Service users">3<' in text
    assert "Secret pot" not in text


def test_who_holds_execute_adds_one_at_once(client, owner, sign_in, world):
    sign_in(client, owner)
    assert client.post(NEW, {"name": "Payroll"}).url == PAGE
    text = client.get(PAGE).content.decode()
    assert "Payroll" in text
    assert Account.objects.get(name="Payroll").organization == world.organization


def test_who_may_only_ask_waits_for_another(client, ana, sign_in):
    """P2: Initiate only: queue, one approval."""
    sign_in(client, ana)
    answer = client.post(NEW, {"name": "Payroll"})
    change = ChangeRequest.objects.get(operation="accounts.add_account")
    assert answer.url == f"/requests/{change.reference}/"
    assert not Account.objects.filter(name="Payroll").exists()


def test_who_may_only_look_sees_why_there_is_no_button(client, audit, sign_in):
    sign_in(client, audit)
    text = client.get(PAGE).content.decode()
    assert "Adding one takes Initiate on Manage Access." in text
    assert NEW not in text
    assert client.get(NEW).status_code == 403
    Grant.objects.filter(member=audit).delete()
    assert client.get(PAGE).status_code == 403


@pytest.mark.parametrize("name", ["", "Main", "main", "x" * 41, "\u202eniaM"])
def test_a_bad_name_is_refused_beside_the_field(client, owner, sign_in, name):
    sign_in(client, owner)
    assert "aria-invalid" in client.post(NEW, {"name": name}).content.decode()
    assert Account.objects.filter(organization=owner.organization).count() == 1


def test_sixty_accounts_take_two_pages_and_as_many_queries_as_one(client, owner, sign_in):
    sign_in(client, owner)
    client.get(PAGE)
    with CaptureQueriesContext(
        connection,
    ) as one:
        client.get(PAGE)
    rows = [Account(organization=owner.organization, name=f"A{n}", created_at=timezone.now()) for n in range(60)]
    Account.objects.bulk_create(rows)
    with CaptureQueriesContext(connection) as many:
        text = client.get(PAGE).content.decode()
    assert len(many) == len(one)
    assert ">A48<" in text
    assert ">A50<" not in text
    assert "after=" in text
