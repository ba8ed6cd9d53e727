"""The rules in force on their page, with what they matched, and the reader's draft beside them (DESIGN P7)."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from policies import drafts
from policies.changes import propose
from policies.measures import measures
from policies.models import Group, Policy, State
from policies.operations import by_rules, configure_policy
from policies.rules.language import Among, GroupApprovals, Rule
from policies.snapshot.stored_rules import read_rules, written_rules
from policies.workflows import Workflow
from portal.core.errors import Invalid
from portal.treasury.withdrawals import request_withdrawal

MONEY = Workflow.INITIATE_WITHDRAWAL
SMALL, LARGE = Rule(approvals=1), Rule(approvals=2, amount=Decimal(100000), with_day_sum=True)
PAGE = reverse("policies:rules", args=[MONEY])


@pytest.fixture
def in_force(world):
    """Rules written into the policy of Initiate Withdrawal as they stand."""

    def put(*rules):
        policy = Policy.objects.filter(organization=world.organization, workflow=MONEY)
        policy.update(rules=written_rules(rules), approvals=2, always=True)

    return put


def text_of(answer) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def test_rules_are_sentences_with_what_they_matched_and_which_are_idle(world, owner, browser, in_force, treasury_bot):
    in_force(SMALL, LARGE, Rule(approvals=1, asked_by="key"))
    request_withdrawal(
        actor=treasury_bot.service_user,
        account=world.account,
        key="btc-cold",
        asset="XXBT",
        amount=Decimal("0.01"),
        api_key=treasury_bot.key,
    )
    text = text_of(browser(owner).get(PAGE))
    assert "Whatever is asked: 1 approval, also from members with Execute." in text
    assert "Matched none of 1 request" in text
    assert text.count(">1 of 1 request<") == 2
    assert text.count("Other rules ask for all that it asks.") == 1
    assert "Below 100,000 USD within 24 hours leaves without 2 approvals." in text


def test_what_a_rule_matched_is_listed_for_who_may_view_it(world, owner, audit, browser, in_force, treasury_bot):
    in_force(SMALL, LARGE)
    request_withdrawal(
        actor=treasury_bot.service_user,
        account=world.account,
        key="btc-cold",
        asset="XXBT",
        amount=Decimal("0.01"),
        api_key=treasury_bot.key,
    )
    url = reverse("policies:matching", args=[MONEY, drafts.key_of(SMALL)])
    assert "btc-cold" in text_of(browser(audit).get(url))
    audit.grants.filter(workflow=MONEY).delete()
    hidden = text_of(browser(audit).get(url))
    assert "btc-cold" not in hidden
    assert "None of them is yours to view." in hidden
    gone = reverse("policies:matching", args=[MONEY, "0" * 12])
    assert browser(owner).get(gone).status_code == 404


def test_another_organization_sees_nothing_of_it(eve, browser, in_force):
    in_force(SMALL, LARGE)
    client = browser(eve)
    assert "100,000" not in text_of(client.get(PAGE))
    assert client.get(reverse("policies:matching", args=[MONEY, drafts.key_of(LARGE)])).status_code == 404
    assert client.get(reverse("policies:rules", args=["money"])).status_code == 404


def test_who_may_only_look_sees_the_rules_and_writes_none(audit, browser, in_force):
    in_force(SMALL, LARGE)
    client = browser(audit)
    text = text_of(client.get(PAGE))
    assert "100,000 USD or more" in text
    assert "Your draft" not in text
    for name, args in (("new_rule", []), ("rule", [drafts.key_of(SMALL)]), ("review", [])):
        assert client.get(reverse(f"policies:{name}", args=[MONEY, *args])).status_code == 403
    assert client.post(reverse("policies:draft", args=[MONEY]), {"act": "begin"}).status_code == 403
    assert drafts.find(audit, MONEY) is None


def test_who_holds_nothing_on_policies_does_not_see_the_page(audit, browser):
    audit.grants.filter(workflow=Workflow.MANAGE_POLICIES).delete()
    assert browser(audit).get(PAGE).status_code == 403


def test_a_page_of_fifty_rules_asks_the_database_as_often_as_one_of_one(owner, browser, in_force):
    client = browser(owner)
    url, counts = PAGE, []
    for number in (1, 50):
        rules = [replace(LARGE, amount=Decimal(1000 + place)) for place in range(number)]
        in_force(*rules)
        drafts.discard(owner, MONEY)
        client.post(reverse("policies:draft", args=[MONEY]), {"act": "begin"})
        client.get(url)
        for page in (url, reverse("policies:review", args=[MONEY])):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(page).status_code == 200
            counts.append(len(queries))
    assert counts[:2] == counts[2:]


def test_a_policy_with_rules_is_not_written_over_by_a_number(owner, browser, in_force):
    """The page of one number leads on; nothing changes for a plain policy."""
    client = browser(owner)
    in_force()
    assert client.get(reverse("policies:configure", args=[MONEY])).status_code == 200
    in_force(SMALL, LARGE)
    typed = {"approvals": "1", "open_hours": "72", "acknowledged": "on"}
    for name in ("configure", "roll_out"):
        answer = client.get(reverse(f"policies:{name}", args=[MONEY]))
        assert answer.headers["Location"] == PAGE
    assert client.post(reverse("policies:configure", args=[MONEY]), typed).headers["Location"] == PAGE
    assert Policy.objects.get(organization=owner.organization, workflow=MONEY).rules != []


def test_the_page_of_one_number_asks_groups_where_rules_have_no_conditions(world, owner, ben, cleo, browser):
    """One rule without a condition is all that a policy of the other three workflows needs."""
    client, url = browser(owner), reverse("policies:configure", args=["manage_addresses"])
    assert "of0_count" not in client.get(url).content.decode()
    finance = Group.objects.create(organization=world.organization, name="Finance", created_at=timezone.now())
    empty = Group.objects.create(organization=world.organization, name="Board", created_at=timezone.now())
    for member in (ben, cleo):
        finance.memberships.create(member=member)
    typed = {"approvals": "2", "always": "on", "open_hours": "24", "acknowledged": "on"}
    refused = text_of(client.post(url, {**typed, "of0_count": "1", "of0_group": str(empty.pk)}))
    assert "Board has no members. Put somebody in first." in refused
    assert "Say of which group, or leave the row empty." in text_of(client.post(url, {**typed, "of0_count": "1"}))
    assert client.post(url, {**typed, "of0_count": "1", "of0_group": str(finance.pk)}).status_code == 302
    policy = Policy.objects.get(organization=world.organization, workflow="manage_addresses")
    rule = Rule(approvals=2, groups=(GroupApprovals(finance.pk, 1),))
    assert read_rules(policy.rules) == (rule,)
    shown = client.get(url).content.decode()
    assert 'name="of0_count" value="1"' in shown
    assert client.post(url, typed).status_code == 302
    policy.refresh_from_db()
    assert (policy.approvals, policy.rules) == (2, [])
    assert "of0_count" not in client.get(reverse("policies:configure", args=[MONEY])).content.decode()


def test_the_policies_page_says_that_rules_count(owner, browser, in_force):
    in_force(SMALL, LARGE)
    text = text_of(browser(owner).get(reverse("policies:policies")))
    assert "2 rules say what is asked, the strictest of each." in text
    assert "by rules" in text
    lock = text_of(browser(owner).get(reverse("policies:lock", args=[MONEY])))
    assert "2 rules say what is asked" in lock


def test_rules_nobody_can_read_are_said_to_be_so(world, owner, browser):
    Policy.objects.filter(organization=world.organization, workflow=MONEY).update(rules=[{"approvals": 1}])
    assert "cannot be read" in text_of(browser(owner).get(PAGE))


def test_a_currency_without_prices_is_said_plainly(world, owner, browser, in_force):
    """What has no price that is known counts as infinite: amounts then ask of everything."""
    in_force(SMALL, LARGE)
    client, said = browser(owner), "Nothing has a price in JPY now."
    for url in (PAGE, reverse("policies:new_rule", args=[MONEY])):
        assert "Nothing has a price" not in text_of(client.get(url))
    world.organization.currency = "JPY"
    world.organization.save()
    for url in (PAGE, reverse("policies:new_rule", args=[MONEY])):
        assert said in text_of(client.get(url))
    assert said not in text_of(client.get(reverse("policies:rules", args=["manage_access"])))


def test_an_asset_or_address_of_nobody_here_cannot_be_named(world, owner):
    """What can be withdrawn, and the books, are asked through the seam."""
    destination = next(iter(_destinations(world)))
    fine = Rule(approvals=1, assets=Among(("XXBT",)), destinations=Among((destination,)))
    change = propose(configure_policy, actor=owner, params=by_rules(MONEY, (SMALL, fine), 72))
    assert change.state == State.EXECUTED
    for rule in (replace(fine, assets=Among(("NOPE",))), replace(fine, destinations=Among(("Bitcoin · 3J98",)))):
        with pytest.raises(Invalid, match="that this Organization does not have"):
            propose(configure_policy, actor=owner, params=by_rules(Workflow.INITIATE_WITHDRAWAL, (rule,), 72))


def _destinations(world):
    return [named.value for named in measures().destinations(world.organization)]
