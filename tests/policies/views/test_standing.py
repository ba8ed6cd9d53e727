"""What the page of a request says to whoever cannot decide it, or whose word did not end it (DESIGN R7)."""

from dataclasses import replace

import pytest
import time_machine
from django.urls import reverse
from django.utils.html import escape

from accounts.service_users.create_and_change import change_service_user
from accounts.service_users.key_settings import limits_of
from accounts.service_users.params import ChangeServiceUser
from policies.changes import propose
from policies.models import Grant, Policy, State
from policies.operations import ConfigurePolicy, LockPolicy, configure_policy, lock_policy
from policies.progress import standing
from policies.rules import Reason
from policies.workflows import Right, Workflow
from tests.policies.conftest import again, ask_tidy, page, yes
from tests.policies.views.test_request_page import post

pytestmark = pytest.mark.django_db
ACCESS, _, ADDRESSES, MONEY = Workflow


def test_past_its_time_nobody_decides_though_no_job_has_run(ana, ben, browser):
    change = ask_tidy(ana)
    with time_machine.travel(change.expires_at, tick=False):
        client = browser(ben)
        assert 'value="approve"' not in page(client, change)
        text = client.post(
            reverse("policies:decide", args=[change.reference]), {"decision": "approve"}, follow=True
        ).content.decode()
        assert "You cannot decide this: its time is up." in text
        assert standing(again(change), ben).why_not == "its time is up"


def test_a_stranger_has_no_right_here(ana, eve):
    """AZ-2: a member of next door is nobody here, whatever they hold there."""
    said = standing(ask_tidy(ana), eve)
    assert (said.can_decide, said.is_barred, said.why_not) == (False, True, Reason.NO_RIGHT.you)


def test_what_a_bot_may_no_longer_ask_for_is_over_and_says_why(asked, owner, ben, browser):
    """R5: its Withdraw was taken away while this waited."""
    bot = asked.service_user
    before = limits_of(bot)
    fewer = replace(before, permissions=("query-funds",))
    propose(change_service_user, actor=owner, params=ChangeServiceUser(bot.pk, bot.account_id, before, fewer))
    client = browser(ben)
    assert "treasury-bot may no longer withdraw." in page(client, asked)
    answer = client.post(reverse("policies:decide", args=[asked.reference]), {"decision": "approve"}, follow=True)
    assert "You cannot decide this: this request is closed." in answer.content.decode()


def test_what_is_approved_and_not_known_to_be_done_takes_no_further_word(ana, ben, cleo, browser):
    change = ask_tidy(ana, fault="unavailable")
    yes(change, ben)
    assert standing(again(change), cleo).why_not == "approvals are complete"
    assert 'value="approve"' not in page(browser(cleo), change)


def test_whose_rights_went_another_way_asks_for_nothing_any_more(ana, ben, browser, code):
    """R5: nobody is asked to agree to it; whoever decides on it, among others for instance, ends it."""
    change = ask_tidy(ana)
    Grant.objects.filter(member=ana, workflow=ACCESS.value).delete()
    client = browser(ben)
    assert "The next decision cancels this request." in page(client, change)
    assert standing(again(change), ben).why_not == "who asked for this may no longer ask"
    chosen = {"change": f"{change.reference}:{change.digest}", "decision": "reject", "reason": "No.", "code": code(ben)}
    text = client.post(reverse("policies:batch"), chosen, follow=True).content.decode()
    assert "This request was cancelled." in text
    assert again(change).state == State.CANCELLED


def test_what_lacks_an_approver_who_may_send_says_so(house):
    """P2: without a policy for withdrawals somebody with Execute there answers for what gives Withdraw."""
    Grant.objects.create(member=house.ben, workflow=MONEY.value, right=Right.EXECUTE.value)
    change = ask_tidy(house.ana, withdraw_from=house.account.pk)
    assert standing(again(change), house.fay).stuck == ""
    Grant.objects.filter(member=house.ben, workflow=MONEY.value, right=Right.EXECUTE.value).delete()
    Grant.objects.filter(member=house.olive, workflow=ACCESS.value, right=Right.APPROVE.value).delete()
    said = standing(again(change), house.fay)
    assert said.stuck == "It takes an approver with Execute on Initiate Withdrawal to finish this."
    assert said.can_decide, "a no ends it"


def test_who_approves_what_then_fails_is_told_why(ana, ben, browser):
    change = ask_tidy(ana, fault="conflict")
    client = browser(ben)
    answer = post(client, change, decision="approve")
    text = client.get(answer.url).content.decode()
    assert "approved, but it failed." in text
    assert "The run met a conflict." in text
    assert again(change).state == State.FAILED


def test_who_approves_what_nobody_can_answer_for_yet_is_not_told_that_it_is_done(ana, ben, browser):
    change = ask_tidy(ana, fault="unavailable")
    client = browser(ben)
    answer = post(client, change, decision="approve")
    text = client.get(answer.url).content.decode()
    assert "How it went is not known yet; this page will say." in text
    assert "it is executed" not in text
    assert again(change).state == State.APPROVED


def test_a_decision_that_meets_another_state_keeps_the_words_that_were_typed(ana, ben, browser):
    """R6: found stale under the lock; nobody has to think of their reason again."""
    change = propose(configure_policy, actor=ana, params=ConfigurePolicy(ADDRESSES, 2, always=True))
    Policy.objects.filter(organization=ana.organization, workflow=ADDRESSES.value).update(open_hours=5)
    client = browser(ben)
    answer = post(client, change, decision="reject", reason="One is enough there.")
    text = client.get(answer.url).content.decode()
    assert "This request is stale, and nothing of it was carried out." in text
    assert escape("Your reason was not sent: “One is enough there.”") in text
    assert again(change).state == State.STALE


def test_a_reason_that_turns_around_takes_nothing_back(ana, browser):
    """CR-15: said beside the field, and nothing is cancelled."""
    change = ask_tidy(ana)
    answer = browser(ana).post(reverse("policies:cancel", args=[change.reference]), {"reason": "no\u202eeson"})
    assert answer.status_code == 200
    assert "U+202E" in answer.content.decode()
    assert again(change).state == State.PENDING


def test_a_policy_that_is_locked_and_not_always_asked_says_both_on_the_board(world, ben, browser):
    rows = Policy.objects.filter(organization=world.organization, workflow=ADDRESSES.value)
    rows.update(is_locked=True, always=False)
    assert "1 approval, not always, locked" in browser(ben).get(reverse("policies:inbox")).content.decode()


def test_the_request_to_lock_a_policy_says_what_that_binds(ana, ben, browser):
    change = propose(lock_policy, actor=ana, params=LockPolicy(MONEY, 2, always=True))
    text = page(browser(ben), change)
    assert "asks to lock the policy of <b>Initiate Withdrawal</b>" in text
    assert "This is hard to take back: it then takes 2 approvals or more." in text
    yes(change, ben)
