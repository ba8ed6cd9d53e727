"""Pages about withdrawals where rules by amount govern them: what is said is what is then asked."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from policies.changes import cancel
from policies.models import Group, GroupMember, Policy, State
from policies.rules.language import Demand, GroupApprovals, Rule
from policies.snapshot.stored_rules import written_rules
from policies.workflows import Workflow
from portal.treasury.models import Address
from portal.treasury.withdrawals import request_withdrawal

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _still(settings):
    settings.PAPER_PRICES = "still"


@pytest.fixture
def board(world, cleo):
    group = Group.objects.create(organization=world.organization, name="Board", created_at=timezone.now())
    GroupMember.objects.create(group=group, member=cleo)
    return group


@pytest.fixture
def tiers(world, board):
    """From 1,000 dollars, alone or within a day, one of Board as well; from 100,000 nothing leaves."""
    rules = (
        Rule(approvals=1),
        Rule(groups=(GroupApprovals(board.pk, 1),), amount=Decimal(1000), with_day_sum=True),
        Rule(deny=True, amount=Decimal(100000)),
    )
    policy = Policy.objects.get(organization=world.organization, workflow=Workflow.INITIATE_WITHDRAWAL)
    policy.rules, policy.approvals, policy.always = written_rules(rules), 1, True
    policy.save()
    return rules


def ask(world, member, amount):
    return request_withdrawal(actor=member, account=world.account, key="btc-cold", asset="BTC", amount=Decimal(amount))


def test_a_small_one_asks_for_what_the_lowest_tier_says(world, tiers, ana, ben):
    assert ask(world, ana, "0.001").required == Demand(1)


def test_small_ones_together_meet_the_tier_that_they_reach(world, tiers, board, ana):
    """CR-10: what is open counts, so splitting does not help."""
    found = [ask(world, ana, "0.01").required for _ in range(3)]
    assert found == [Demand(1), Demand(1, ((board.pk, 1),)), Demand(1, ((board.pk, 1),))]


def test_what_was_given_back_counts_no_more(world, tiers, ana):
    for _ in range(3):
        change = ask(world, ana, "0.01")
        assert change.required == Demand(1)
        cancel(change.reference, actor=ana)


def test_the_review_says_what_is_then_asked(client, sign_in, world, tiers, ana):
    sign_in(client, ana)
    address = Address.objects.get(account=world.account, key="btc-cold")
    form = {"address": address.pk, "amount": "0.1", "note": ""}
    said = client.post(reverse("treasury:new_withdrawal"), form, follow=True).content.decode()
    assert "This will wait for 1 approval of Board." in said


def test_the_form_says_up_to_what(client, sign_in, tiers, ana):
    sign_in(client, ana)
    said = client.get(reverse("treasury:new_withdrawal")).content.decode()
    assert "By amount and destination, this waits for up to 1 approval of Board." in said


def test_what_a_rule_denies_is_said_and_refused(client, sign_in, world, tiers, ana):
    sign_in(client, ana)
    address = Address.objects.get(account=world.account, key="btc-cold")
    page = client.post(
        reverse("treasury:new_withdrawal"), {"address": address.pk, "amount": "2", "note": ""}, follow=True
    )
    assert "The policy denies this." in page.content.decode()


def test_the_inbox_takes_as_many_statements_for_many_as_for_one(client, sign_in, world, tiers, ana, ben):
    ask(world, ana, "0.001")
    sign_in(client, ben)
    inbox = reverse("policies:inbox")
    client.get(inbox)
    with CaptureQueriesContext(connection) as one:
        assert "Withdraw" in client.get(inbox).content.decode()
    for _ in range(12):
        ask(world, ana, "0.002")
    with CaptureQueriesContext(connection) as many:
        shown = client.get(inbox).content.decode()
    assert shown.count('class="row"') == 13
    assert len(many) == len(one)
    assert "Board 0 of 1" in shown


def test_the_page_of_a_request_counts_what_is_so_now(client, sign_in, world, tiers, board, ana, ben, approve):
    """R4: asked for the little that it was then, it waits for more once others were asked for."""
    first = ask(world, ana, "0.01")
    ask(world, ana, "0.01")
    assert approve(first, ben).state == State.PENDING
    sign_in(client, ben)
    assert "Board 0 of 1" in client.get(reverse("policies:request", args=[first.reference])).content.decode()
