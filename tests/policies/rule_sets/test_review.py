"""A draft held against what is in force, and the one button that asks for it (DESIGN P7, R6)."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from policies import drafts
from policies.changes import propose
from policies.models import ChangeRequest, Group, Policy, State
from policies.operations import ConfigurePolicy, configure_policy
from policies.rules.language import GroupApprovals, Rule
from policies.snapshot import policies
from policies.workflows import Workflow
from tests.policies.conftest import again

MONEY = Workflow.INITIATE_WITHDRAWAL
SMALL, LARGE = Rule(approvals=1), Rule(approvals=2, amount=Decimal(100000), with_day_sum=True)
PAGE, URL = reverse("policies:rules", args=[MONEY]), reverse("policies:review", args=[MONEY])


def text_of(answer) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def stands(member):
    return next((terms for terms in policies(member.organization) if terms.workflow == MONEY), None)


@pytest.fixture
def drafted():
    """The Member's draft of these rules, begun from what is in force."""

    def write(member, *rules):
        drafts.discard(member, MONEY)
        drafts.begin(member, MONEY, stands(member))
        for rule in stands(member).rule_set:
            drafts.remove(member, MONEY, drafts.key_of(rule))
        for rule in rules:
            drafts.put(member, MONEY, rule, key="", terms=None)

    return write


def seen(client) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', client.get(URL).content.decode())
    assert found is not None
    return found.group(1)


def test_what_changes_is_shown_case_by_case_before_anything_is_asked(ana, browser, drafted):
    drafted(ana, SMALL, LARGE)
    text = text_of(browser(ana).get(URL))
    assert "<del>Whatever is asked: 2 approvals, also from members with Execute.</del>" in text
    assert "<ins>When 100,000 USD or more leaves, alone or together" in text
    weaker = text[text.index('id="weaker"') : text.index('id="stricter"')]
    assert "Whatever is asked" in weaker
    assert '<ins class="grow">1 approval</ins>' in weaker
    assert "Below 100,000 USD within 24 hours leaves without 2 approvals." in text
    assert "Spare people" in text
    assert "Effective strength" in text
    assert "This will wait for" in text
    assert not ChangeRequest.objects.filter(member=ana).exists()


def test_one_button_asks_and_the_draft_is_gone(ana, browser, drafted):
    drafted(ana, SMALL, LARGE)
    client = browser(ana)
    answer = client.post(URL, {"seen": seen(client), "note": "Three tiers.", "acknowledged": "on"})
    change = ChangeRequest.objects.get(member=ana)
    assert answer.headers["Location"] == reverse("policies:request", args=[change.reference])
    assert (change.state, change.note) == (State.PENDING, "Three tiers.")
    assert drafts.find(ana, MONEY) is None
    page = text_of(client.get(answer.headers["Location"]))
    assert "When 100,000 USD or more leaves, alone or together with everything of the last 24 hours" in page
    assert "This asks for less than now." in page


def test_who_may_finish_alone_saves_it_at_once(owner, browser, drafted):
    drafted(owner, SMALL, LARGE)
    client = browser(owner)
    assert "This happens at once." in text_of(client.get(URL))
    client.post(URL, {"seen": seen(client), "acknowledged": "on"})
    assert stands(owner).rules == (SMALL, LARGE)


def test_one_plain_rule_is_saved_as_the_plain_policy(owner, browser, drafted):
    drafted(owner, Rule(approvals=1))
    client = browser(owner)
    client.post(URL, {"seen": seen(client), "acknowledged": "on"})
    assert (stands(owner).rules, stands(owner).approvals) == ((), 1)


def test_what_is_refused_keeps_the_draft(world, owner, browser, drafted):
    """P5: a dead end; and the form keeps what was typed."""
    board = Group.objects.create(organization=world.organization, name="Board", created_at=timezone.now())
    drafted(owner, Rule(approvals=9))
    client = browser(owner)
    text = text_of(client.post(URL, {"seen": seen(client), "note": "My note", "acknowledged": "on"}))
    assert "requests that nobody can finish" in text
    assert "My note" in text
    drafted(owner, Rule(groups=(GroupApprovals(board.pk, 1),)))
    board.delete()
    shown = text_of(client.get(URL))
    assert "A rule names a group that there is not." in shown
    client.post(URL, {"seen": seen(client), "acknowledged": "on"})
    assert drafts.find(owner, MONEY) is not None
    assert stands(owner).rules == ()


def test_the_first_of_two_authors_makes_the_second_look_again(owner, ana, browser, drafted):
    """Two at once: what is in force is another one by now, and both are shown."""
    drafted(owner, SMALL, LARGE)
    drafted(ana, SMALL)
    client = browser(ana)
    before = seen(client)
    mine = browser(owner)
    mine.post(URL, {"seen": seen(mine), "acknowledged": "on"})
    text = text_of(client.post(URL, {"seen": before, "note": "Mine", "acknowledged": "on"}))
    assert "was changed since you opened this page" in text
    assert "What is in force has changed since you began your draft." in text
    assert "<del>When 100,000 USD or more leaves" in text
    assert not ChangeRequest.objects.filter(member=ana).exists()
    assert "has changed since you began" in text_of(client.get(PAGE))
    client.post(reverse("policies:draft", args=[MONEY]), {"act": "carry_on"})
    assert "has changed since you began" not in text_of(client.get(PAGE))
    client.post(URL, {"seen": seen(client), "acknowledged": "on"})
    assert ChangeRequest.objects.get(member=ana).state == State.PENDING


def test_of_two_requests_the_second_is_stale(owner, ana, browser, drafted):
    drafted(ana, SMALL)
    client = browser(ana)
    client.post(URL, {"seen": seen(client), "acknowledged": "on"})
    waiting = ChangeRequest.objects.get(member=ana)
    propose(configure_policy, actor=owner, params=ConfigurePolicy(MONEY, 2, always=False))
    assert again(waiting).state == State.STALE


def test_a_draft_changed_in_another_window_is_not_asked_for_unseen(ana, browser, drafted):
    drafted(ana, SMALL, LARGE)
    client = browser(ana)
    before = seen(client)
    drafts.put(ana, MONEY, Rule(deny=True, amount=Decimal(9)), key="", terms=None)
    assert "was changed since you opened this page" in text_of(client.post(URL, {"seen": before, "acknowledged": "on"}))
    assert not ChangeRequest.objects.filter(member=ana).exists()


def test_asking_takes_a_second_factor(owner, browser, code, drafted):
    """SU-1: 5:01 later it is asked again."""
    drafted(owner, SMALL, LARGE)
    client = browser(owner)
    typed = {"seen": seen(client), "acknowledged": "on"}
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        assert client.post(URL, typed).status_code == 200
        assert stands(owner).rules == ()
        assert client.post(URL, {**typed, "code": code(owner)}).status_code == 302
    assert stands(owner).rules != ()


def test_an_empty_draft_leads_back(ana, browser, drafted):
    """A policy of no rules is none: that is asked for elsewhere."""
    drafted(ana)
    client = browser(ana)
    assert client.get(URL).headers["Location"] == PAGE
    assert "A policy needs one at least; to ask for nothing, remove the policy." in text_of(client.get(PAGE))


def test_the_buttons_of_a_draft(world, ana, browser):
    client, url = browser(ana), reverse("policies:draft", args=[MONEY])
    client.post(url, {"act": "begin"})
    draft = drafts.find(ana, MONEY)
    assert draft is not None
    assert drafts.rules_of(draft) == stands(ana).rule_set
    client.post(url, {"act": "hours", "open_hours": "12"})
    assert "between" not in text_of(client.get(PAGE))
    refused = text_of(client.post(url, {"act": "hours", "open_hours": "721"}, follow=True))
    assert "less than or equal to 720" in refused
    draft.refresh_from_db()
    assert draft.open_hours == 12
    (rule,) = stands(ana).rule_set
    client.post(url, {"act": f"remove:{drafts.key_of(rule)}"})
    gone = text_of(client.post(url, {"act": f"remove:{drafts.key_of(rule)}"}, follow=True))
    assert "There is no such rule in your draft any more." in gone
    client.post(url, {"act": "discard"})
    assert drafts.find(ana, MONEY) is None
    assert Policy.objects.get(organization=world.organization, workflow=MONEY).rules == []


def test_a_draft_is_its_authors_alone(owner, ana, browser, drafted):
    drafted(owner, SMALL, LARGE)
    client = browser(ana)
    assert "100,000" not in text_of(client.get(PAGE))
    assert client.get(URL).headers["Location"] == PAGE
    url = reverse("policies:rule", args=[MONEY, drafts.key_of(LARGE)])
    assert client.get(url).headers["Location"] == PAGE
    client.post(reverse("policies:draft", args=[MONEY]), {"act": "discard"})
    assert drafts.find(owner, MONEY) is not None
