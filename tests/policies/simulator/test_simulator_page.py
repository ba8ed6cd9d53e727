"""The simulator: asked with GET alone, answered as a real request is, and nothing written."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, ServiceUser
from policies.models import ChangeRequest, Freeze, Grant, Policy
from policies.rules.language import GroupApprovals, Rule
from policies.workflows import Workflow
from portal.audit.models import AuditEvent
from portal.treasury import measures as told
from portal.treasury.errors import OverCap
from portal.treasury.models import Address
from portal.treasury.withdrawals import request_withdrawal
from tests.policies.simulator.conftest import WITHDRAWAL, asked, drafted, govern, simulated

pytestmark = pytest.mark.django_db


def as_text(page) -> str:
    return " ".join(page.split())


def test_a_reader_of_policies_sees_what_would_happen(world, audit, tiers, browser):
    text = simulated(browser(audit), world)
    assert "It waits for 1 approval." in text
    assert "Rule 1. Whatever is asked: 1 approval, also from members with Execute." in text
    assert "It is below 1,000 USD, also with all that leaves within 24 hours." in text
    assert "ZUSD" not in as_text(text).split('id="answer"')[1]
    # Made by the Owner, who is barred for that; the others may approve.
    for name in ("Ben Adeyemi", "Cleo Novak", "Fay Lindholm"):
        assert name in text
    assert "custodian of the key that asks" in text


def test_the_amount_decides_and_the_sum_shows_what_left(world, ana, audit, tiers, browser, treasury_bot):
    request_withdrawal(
        actor=treasury_bot.service_user,
        account=world.account,
        key="usd-bank",
        asset="ZUSD",
        amount=Decimal(995),
        api_key=treasury_bot.key,
    )
    text = simulated(browser(audit), world)
    assert "It waits for 2 approvals." in text
    assert "1005 USD" in text


def test_it_says_what_a_real_request_is_asked_for(world, audit, tiers, browser, treasury_bot):
    """By the same functions: for small and large ones."""
    client = browser(audit)
    for amount in ("20", "1500", "120000"):
        expected = simulated(client, world, amount=amount)
        change = request_withdrawal(
            actor=treasury_bot.service_user,
            account=world.account,
            key="usd-bank",
            asset="ZUSD",
            amount=Decimal(amount),
            api_key=treasury_bot.key,
        )
        words = "approval." if change.approvals_required == 1 else "approvals"
        assert f"It waits for {change.approvals_required} {words}" in expected
        assert ("of Board" in as_text(expected.split("Asked together")[1].split("</dd>")[0])) is bool(
            change.required.groups
        )


def test_a_group_that_is_too_small_is_named(world, audit, tiers, board, browser):
    board.memberships.all().delete()
    text = simulated(browser(audit), world, amount="120000")
    assert "1 missing" in text
    assert "Nobody could finish it: it takes 2 approvals, among them 1 of Board." in text


def test_what_is_denied_is_said_to_be(world, audit, tiers, browser):
    text = simulated(browser(audit), world, asset="XXBT", to="", amount="0.001")
    assert "It is denied, however many agree." in text
    assert "Who could approve" not in text.split('id="answer"')[1].split("</section>")[0]


def test_a_delay_is_said(world, audit, browser):
    govern(world.organization, Rule(approvals=1, delay_hours=24))
    text = simulated(browser(audit), world)
    assert "It waits for 1 approval, then a delay of 24 hours." in text
    assert "24 hours after the last approval" in text


def test_a_member_with_execute_is_bound_by_some_rules_only(world, owner, audit, browser):
    govern(world.organization, Rule(approvals=2, always=False), Rule(approvals=1, amount=Decimal(1000)))
    who = f"member:{owner.pk}"
    text = simulated(browser(audit), world, who=who)
    assert "It is sent at once." in text
    assert "It does not bind members with Execute, and one asks." in text
    text = simulated(browser(audit), world, who=who, amount="5000")
    assert "It waits for 1 approval." in text


def test_without_a_policy_a_key_sends_at_once(world, audit, browser):
    Policy.objects.filter(organization=world.organization, workflow=WITHDRAWAL.value).delete()
    text = simulated(browser(audit), world)
    assert "It is sent at once." in text
    assert "No policy governs withdrawals" in text


def test_the_readers_draft_answers_where_they_want_it(world, owner, ana, tiers, browser):
    drafted(owner, Rule(approvals=3))
    text = simulated(browser(owner), world, rules="draft")
    assert "By your draft" in text
    assert "It waits for 3 approvals." in text
    assert "It waits for 1 approval." in simulated(browser(owner), world)
    # Nobody else reads it.
    text = simulated(browser(ana), world, rules="draft")
    assert "My draft" not in text
    assert "It waits for 1 approval." in text


def test_what_is_frozen_is_said_to_be(world, audit, fay, tiers, browser):
    now = timezone.now()
    Freeze.objects.create(
        organization=world.organization, workflow=WITHDRAWAL.value, label="Initiate Withdrawal", made_by=fay,
        reason="Something is wrong.", started_at=now, ends_at=now + timedelta(hours=5),
    )  # fmt: skip
    text = simulated(browser(audit), world)
    assert "It is refused while it is frozen." in text
    assert "Something is wrong." in text
    Grant.objects.filter(member=audit).exclude(workflow=Workflow.MANAGE_POLICIES.value).delete()
    text = simulated(browser(audit), world, to="")
    assert "It is refused while it is frozen." in text
    assert "Something is wrong." not in text


def test_nothing_is_written(world, audit, tiers, browser):
    client = browser(audit)
    before = (ChangeRequest.objects.count(), AuditEvent.objects.count())
    simulated(client, world, amount="120000")
    assert (ChangeRequest.objects.count(), AuditEvent.objects.count()) == before
    assert client.post(reverse("policies:simulate"), asked(world)).status_code == 405


def test_a_bot_of_another_account_may_not_ask_there(world, audit, tiers, browser):
    other = Account.objects.create(organization=world.organization, name="Cold", created_at=timezone.now())
    text = simulated(browser(audit), world, account=str(other.pk), to="")
    assert "treasury-bot belongs to another Account." in text


def test_an_asset_without_a_fresh_price_counts_as_infinite(world, audit, tiers, browser, monkeypatch):
    monkeypatch.setattr(told, "value_of", lambda *_: Decimal("Infinity"))
    text = simulated(browser(audit), world)
    assert "No fresh price is known." in text
    assert "of Board" in text


def test_addresses_and_sums_are_for_those_who_may_look_there(world, audit, tiers, browser):
    Grant.objects.filter(member=audit).exclude(workflow=Workflow.MANAGE_POLICIES.value).delete()
    text = simulated(browser(audit), world)
    assert "has no address of that name" in text
    assert "btc-cold" not in text
    text = simulated(browser(audit), world, to="")
    assert "You need View on Initiate Withdrawal for all Accounts" in text
    assert "It waits for 1 approval." in text


def test_one_without_view_on_policies_is_refused(world, audit, browser):
    Grant.objects.filter(member=audit, workflow=Workflow.MANAGE_POLICIES.value).delete()
    assert browser(audit).get(reverse("policies:simulate")).status_code == 403


def test_nothing_of_another_organization_can_be_chosen(world, eve, tiers, browser):
    text = simulated(browser(eve), world)
    for word in ("treasury-bot", "Ana Ruiz", "btc-cold", "Board"):
        assert word not in text.replace('value="usd-bank"', "")
    assert 'id="answer"' not in text


def test_the_same_queries_for_one_rule_and_fifty_and_for_many_people(world, audit, tiers, board, browser):
    client, counts = browser(audit), []
    govern(world.organization, *tiers[:2])
    for step in range(3):
        with CaptureQueriesContext(
            connection,
        ) as found:
            simulated(client, world, amount=str(10 + step))
        counts.append(len(found))
        more = [
            Rule(approvals=1, groups=(GroupApprovals(board.pk, 1),), amount=Decimal(1000 + number), with_day_sum=True)
            for number in range(48)
        ]
        govern(world.organization, *tiers[:2], *more)
        for number in range(10):
            address = Address.objects.filter(organization=world.organization, key="usd-bank").get()
            address.pk, address.key = None, f"bank-{step}-{number}"
            address.save(force_insert=True)
    assert counts[1] == counts[2] <= counts[0] + 3


def test_the_policies_page_leads_here(audit, browser):
    text = browser(audit).get(reverse("policies:policies")).content.decode()
    assert reverse("policies:simulate") in text


def test_a_link_can_choose_who_asks(world, audit, ana, browser):
    text = browser(audit).get(reverse("policies:simulate"), {"who": f"member:{ana.pk}"}).content.decode()
    assert f'<option value="member:{ana.pk}" selected>' in text
    assert 'id="answer"' not in text


def test_the_rules_page_leads_here_and_back(owner, tiers, browser):
    client = browser(owner)
    rules = reverse("policies:rules", args=[WITHDRAWAL.value])
    there = client.get(rules).content.decode()
    assert reverse("policies:simulate") in there
    assert "your draft on the last 90 days" not in there
    assert rules in client.get(reverse("policies:simulate")).content.decode()
    drafted(owner, Rule(approvals=3))
    assert "your draft on the last 90 days" in client.get(rules).content.decode()
    other = client.get(reverse("policies:rules", args=["manage_access"])).content.decode()
    assert reverse("policies:simulate") not in other


@pytest.mark.parametrize("caps", [{"withdrawal_cap_hundredths": 50_000}, {"daily_cap_hundredths": 50_000}])
def test_what_is_above_a_cap_is_refused_here_as_it_is_when_asked(world, audit, tiers, browser, treasury_bot, caps):
    """And what is just within is not."""
    ServiceUser.objects.filter(pk=treasury_bot.service_user.pk).update(**caps)
    treasury_bot.service_user.refresh_from_db()
    client, said = browser(audit), {}
    for amount in ("500.01", "500"):
        said[amount] = simulated(client, world, amount=amount)
        try:
            request_withdrawal(
                actor=treasury_bot.service_user,
                account=world.account,
                key="usd-bank",
                asset="ZUSD",
                amount=Decimal(amount),
                api_key=treasury_bot.key,
            )
        except OverCap:
            assert "It is refused before anybody is asked." in said[amount]
            assert "more than treasury-bot may withdraw" in said[amount]
        else:
            assert "It waits for 1 approval." in said[amount]
    assert said["500.01"] != said["500"]
    assert ("It is refused before" in simulated(client, world, amount="20")) is ("daily_cap_hundredths" in caps)
