"""What the pages and mails claim about safety is so in this Organization, for this operation."""

from decimal import Decimal
from pathlib import Path

import pytest
from django.urls import reverse

from accounts.models import Organization
from policies.changes import propose
from policies.operations import RemovePolicy, remove_policy
from policies.workflows import Workflow
from portal.treasury.models import Address
from portal.treasury.operations import RenameAddress, rename_address
from portal.treasury.withdrawals import request_withdrawal
from tests.policies.conftest import page

pytestmark = pytest.mark.django_db
READ = (".html", ".txt", ".md")
ROOT = Path(__file__).resolve().parents[2]


def test_the_welcome_says_what_withdrawals_ask_for_at_this_moment(client, world, owner, sign_in):
    """fault pages-A5: it claimed that no money moves on one person's word while the Owner alone could send it."""
    sign_in(client, owner)
    path = reverse("accounts:welcome")
    assert "Every request waits for 2 approvals, whoever asks." in client.get(path).content.decode()
    propose(remove_policy, actor=owner, params=RemovePolicy(Workflow.INITIATE_WITHDRAWAL))
    text = client.get(path).content.decode()
    assert "Members with Execute finish alone" in text
    assert "Keys that may withdraw do so at once." in text
    assert Organization.objects.get(pk=world.organization.pk).policies.count() == 1


@pytest.mark.parametrize("name", ["templates", "README.md", "docs"])
def test_no_page_or_mail_claims_what_a_policy_may_not_ask(name):
    """fault pages-A5"""
    found = (
        [ROOT / name]
        if (ROOT / name).is_file()
        else [path for path in (ROOT / name).rglob("*.*") if path.suffix in (".html", ".txt", ".md")]
    )
    for path in found:
        text = path.read_text().replace("’", "'")
        assert "on one person's word" not in text, path
        assert "Nothing can be undone" not in text, path


def test_only_what_cannot_be_called_back_is_called_for_good(world, ana, ben, client, sign_in, treasury_bot):
    """fault pages-A5: renaming an address can be undone, money that was sent cannot."""
    row = Address.objects.get(key="btc-cold", account=world.account)
    rename = propose(rename_address, actor=ana, params=RenameAddress(world.account.pk, row.pk, "btc-cold", "btc-vault"))
    money = request_withdrawal(actor=ana, account=world.account, key="eth-cold", asset="ETH", amount=Decimal(1))
    sign_in(client, ben)
    said, of_money = page(client, rename), page(client, money)
    assert "at once and for good" not in said
    assert "cannot be called back" not in said.partition('id="decide"')[2]
    assert "at once and for good" in of_money
    assert "Money that was sent cannot be called back." in of_money
