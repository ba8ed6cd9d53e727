"""The policies page says how many people a withdrawal takes, by its amount (DESIGN P6)."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from policies.models import Group, GroupMember, Policy
from policies.rules.language import Among, GroupApprovals, Rule
from policies.snapshot import gather
from policies.snapshot.stored_rules import written_rules
from policies.stage_guide import outlook
from policies.workflows import Workflow

MONEY = Workflow.INITIATE_WITHDRAWAL


@pytest.fixture
def ruled(owner, ben, cleo):
    """Three tiers, of which the last asks for one of the Board; it is locked."""
    board = Group.objects.create(organization=owner.organization, name="Board", created_at=timezone.now())
    GroupMember.objects.create(group=board, member=cleo)

    def rule_it(*more: Rule, locked: bool = True) -> None:
        rules = (
            Rule(approvals=1),
            Rule(approvals=2, amount=Decimal(1000), with_day_sum=True),
            Rule(groups=(GroupApprovals(board.pk, 1),), amount=Decimal("250000.5")),
            *more,
        )
        policy = Policy.objects.filter(organization=owner.organization, workflow=MONEY)
        policy.update(rules=written_rules(rules), always=True, is_locked=locked)

    rule_it()
    return rule_it


def test_each_amount_from_which_something_else_is_asked_has_a_row(ruled, owner, audit, browser):
    text = browser(audit).get(reverse("policies:policies")).content.decode()
    currency = owner.organization.currency
    for words in ("Any amount", f"From 1,000 {currency}", f"From 250,000.5 {currency}", "among them 1 of Board"):
        assert words in text
    rows = outlook(gather(owner.organization, bots=True), MONEY).rows
    assert [(row.amount, row.strength.people, row.strength.expected) for row in rows] == [
        (Decimal(0), 2, 2),
        (Decimal(1000), 3, 3),
        (Decimal("250000.5"), 3, 3),
    ]
    assert all(str(step) in text for row in rows for step in row.strength.road)


def test_an_amount_at_which_fewer_get_there_is_marked_and_the_road_is_told(ruled, owner, audit, browser):
    ruled(locked=False)
    text = browser(audit).get(reverse("policies:policies")).content.decode()
    assert text.count("Weaker than it says") >= 3
    assert "Initiate Withdrawal is weaker than its policy says." in text
    assert "1, not 3" in text


def test_a_policy_of_one_number_has_no_table(audit, browser):
    assert "by amount" not in browser(audit).get(reverse("policies:policies")).content.decode()


def test_of_several_accounts_the_one_where_it_stands_worst_is_named(ruled, owner):
    cold = Account.objects.create(organization=owner.organization, name="Cold", created_at=timezone.now())
    ruled(Rule(approvals=3, accounts=Among((str(owner.organization.accounts.get(name="Main").pk),))))
    rows = outlook(gather(owner.organization, bots=True), MONEY).rows
    assert {row.account for row in rows if row.amount < 250000} == {cold.name}


def test_the_addresses_are_read_once_however_many_tiers_look_at_them(ruled, audit, browser):
    def statements(*more: Rule) -> int:
        ruled(*more)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert browser(audit).get(reverse("policies:policies")).status_code == 200
        return len(seen)

    def tier(place: int) -> Rule:
        return Rule(approvals=1, amount=Decimal(2000 + place), destinations=Among(("somewhere",), outside=True))

    browser(audit).get(reverse("policies:policies"))
    assert statements(tier(0)) == statements(*(tier(place) for place in range(9)))
