"""What is said where something is frozen, and where one may freeze (DESIGN §4)."""

import re

import pytest
from django.urls import reverse

from policies.models import ChangeRequest, State
from policies.workflows import Workflow
from portal.treasury.models import Address
from tests.policies.conftest import ask_tidy
from tests.policies.views.freezes.conftest import MONEY, NEW, frozen, text_of

pytestmark = pytest.mark.django_db


def test_where_something_is_frozen_the_request_says_so_and_approve_is_disabled(reader, ana, ben, owner):
    change = ask_tidy(ana)
    frozen(owner)
    client = reader(ben)
    page = client.get(reverse("policies:request", args=[change.reference])).content.decode()
    assert "Nobody can approve this meanwhile." in page
    assert re.search(r"<button[^>]*disabled[^>]*>Approve</button>", page)
    assert not re.search(r'value="approve"[^>]*>Approve</button>', page)
    assert re.search(r'value="reject"[^>]*>Reject</button>', page)
    client.post(
        reverse("policies:decide", args=[change.reference]),
        {"digest": change.digest, "decision": "reject", "reason": "Not now."},
    )
    change.refresh_from_db()
    assert change.state == State.REJECTED


def test_an_approval_that_is_posted_all_the_same_is_refused_with_the_reason(reader, ana, ben, owner):
    change = ask_tidy(ana)
    client = reader(ben)
    frozen(owner)
    answer = client.post(
        reverse("policies:decide", args=[change.reference]),
        {"digest": change.digest, "decision": "approve", "reason": ""},
        follow=True,
    )
    assert "is frozen until" in text_of(answer)
    change.refresh_from_db()
    assert (change.state, change.decisions.count()) == (State.PENDING, 0)


def test_the_inbox_says_what_is_frozen_and_decides_none_of_it_together(reader, ana, ben, owner):
    change = ask_tidy(ana)
    frozen(owner)
    client = reader(ben)
    assert "nobody can approve it meanwhile" in text_of(client.get(reverse("policies:inbox")))
    chosen = {"change": change.reference, "decision": "approve"}
    assert "Nobody can approve this now." in text_of(client.get(reverse("policies:batch"), chosen))


def test_what_is_asked_on_a_page_while_it_is_frozen_is_refused_with_the_reason(reader, ana, owner, world):
    frozen(owner)
    answer = reader(ana).post(reverse("accounts:new_account"), {"name": "Reserve", "note": ""})
    assert "Manage Access is frozen until" in text_of(answer)
    assert "Reserve" in answer.content.decode()
    assert not ChangeRequest.objects.filter(operation="accounts.add_account").exists()


def test_a_form_says_beforehand_that_it_is_frozen(reader, ana, owner, world):
    frozen(owner, MONEY, world.account)
    client = reader(ana)
    page = reverse("treasury:rename_address", args=[Address.objects.get(key="btc-cold").pk])
    told = client.get(page)
    assert "This is frozen now" not in text_of(told)
    frozen(ana, Workflow.MANAGE_ADDRESSES)
    told = client.get(page)
    assert "This is frozen now, and cannot be asked." in text_of(told)
    assert "Manage Addresses is frozen until" in text_of(told)


@pytest.mark.parametrize("page", ["policies:policies", "treasury:addresses", "treasury:balances"])
def test_where_one_may_freeze_there_is_a_link(reader, ana, page):
    assert f"{NEW}?where=" in reader(ana).get(reverse(page)).content.decode()


@pytest.mark.parametrize("page", ["policies:policies", "treasury:addresses", "treasury:balances"])
def test_where_one_may_not_there_is_none(reader, audit, page):
    assert f"{NEW}?where=" not in reader(audit).get(reverse(page)).content.decode()


def test_the_page_of_an_account_leads_there(reader, ana, audit, world):
    page = reverse("kraken:account", args=[world.account.pk])
    assert f"{NEW}?where=initiate_withdrawal:{world.account.pk}" in reader(ana).get(page).content.decode()
    assert NEW not in reader(audit).get(page).content.decode()
