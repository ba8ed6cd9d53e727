"""Links to what belongs to another Organization of the same person."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member
from accounts.organizations.founding import add_member
from policies.workflows import Right, Workflow
from portal.treasury.withdrawals import request_withdrawal
from tests.factories.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(world: World):
    bot = world.bot("treasury-bot")
    return request_withdrawal(
        actor=bot.service_user,
        account=world.account,
        key="btc-cold",
        asset="XXBT",
        amount=Decimal("0.5"),
        api_key=bot.key,
    )


@pytest.fixture
def there(world: World, ben):
    """Ben as a member of the other Organization too, where he may view everything."""
    return add_member(world.elsewhere, ben.user, rights=[(workflow, Right.VIEW) for workflow in Workflow])


def at_the_other_one(client: Client, member: Member, sign_in) -> None:
    sign_in(client, member)
    client.post(
        reverse("accounts:switch"),
        {"organization": member.user.memberships.exclude(pk=member.pk).get().organization_id},
    )


@pytest.mark.parametrize(
    "route", ["policies:request", "accounts:member", "accounts:service_user", "treasury:withdrawal"]
)
def test_a_link_of_another_organization_of_mine_leads_there(client, world, asked, ben, there, sign_in, route):
    """fault pages-A4"""
    at_the_other_one(client, ben, sign_in)
    named = {
        "policies:request": asked.reference,
        "accounts:member": world.members["ana"].pk,
        "accounts:service_user": "treasury-bot",
        "treasury:withdrawal": asked.withdrawal.reference,
    }
    path = reverse(route, args=[named[route]])
    answer = client.get(path)
    assert answer.status_code == 200
    assert "This page is of Demo Treasury" in answer.content.decode()
    gone_on = client.post(reverse("accounts:switch"), {"organization": world.organization.pk, "next": path})
    assert gone_on.url == path
    assert client.get(path).status_code == 200
    assert "This page is of" not in client.get(path).content.decode()


def test_a_mail_link_names_its_organization_also_where_both_have_such_a_page(client, world, ben, there, sign_in):
    """fault pages-A4: `/service-users/payroll-bot/` may be there in both."""
    at_the_other_one(client, ben, sign_in)
    text = client.get("/history/", {"of": world.organization.pk}).content.decode()
    assert "This page is of Demo Treasury" in text
    assert f'value="/history/?of={world.organization.pk}"' in text


def test_a_stranger_learns_nothing_from_such_a_link(client, world, asked, there, sign_in):
    """fault pages-A4: what is told to members of both is told to nobody else."""
    sign_in(client, world.members["eve"])
    foreign = client.get(reverse("policies:request", args=[asked.reference]))
    unknown = client.get(reverse("policies:request", args=["AbCdEfGhIjKlMnOp"]))
    assert foreign.status_code == unknown.status_code == 404
    assert b"Demo Treasury" not in foreign.content
    for number in (world.organization.pk, 999_999, "x", "9" * 40):
        answer = client.get(reverse("policies:inbox"), {"of": number})
        assert answer.status_code == 200
        assert b"Demo Treasury" not in answer.content


def test_a_member_of_both_learns_nothing_of_what_they_may_not_view_there(client, world, asked, ben, there, sign_in):
    """fault pages-A4"""
    ben.grants.all().delete()
    at_the_other_one(client, ben, sign_in)
    answer = client.get(reverse("policies:request", args=[asked.reference]))
    assert answer.status_code == 404
    assert b"Demo Treasury" not in answer.content.partition(b"<main")[2]


def test_a_former_membership_opens_nothing(client, world, asked, ben, there, sign_in):
    """fault pages-A4"""
    at_the_other_one(client, ben, sign_in)
    Member.objects.filter(pk=ben.pk).update(removed_at=timezone.now())
    assert client.get(reverse("policies:request", args=[asked.reference])).status_code == 404


def test_the_way_on_leads_to_no_other_site(client, world, ben, there, sign_in):
    """fault pages-A4: `next` is a path of ours or nothing."""
    at_the_other_one(client, ben, sign_in)
    answer = client.post(
        reverse("accounts:switch"), {"organization": world.organization.pk, "next": "//evil.example.test/"}
    )
    assert answer.url == reverse("policies:inbox")
