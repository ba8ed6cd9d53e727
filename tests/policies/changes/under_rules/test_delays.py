"""Waiting after the last approval: it buys notice, all is looked at again at its end, one no ends it (DESIGN P7)."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from policies.changes import cancel, cancel_all, execute, expire_due
from policies.changes.cancel_and_expire import ask_unknown_again
from policies.models import Grant, State
from policies.rules.language import Rule
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.core.errors import Conflict
from portal.jobs import mail
from tests.policies.conftest import again, ask_send, events, no, page, yes
from tests.policies.operations import marks

MONEY = Workflow.INITIATE_WITHDRAWAL
DAY = Rule(approvals=1, delay_hours=24)


@pytest.fixture
def delayed(house):
    """Ana asks, Ben agrees, and then it waits for a day."""
    house.policy(MONEY, 1, rules=(DAY,))
    change = yes(ask_send(house, house.ana), house.ben)
    assert change.is_delayed
    return change


def later(**span):
    return time_machine.travel(timezone.now() + timedelta(**span), tick=False)


def test_it_runs_after_the_last_approval(house):
    house.policy(MONEY, 2, rules=(Rule(approvals=2, delay_hours=24),))
    change = ask_send(house, house.ana)
    with later(hours=5):
        yes(change, house.ben)
    assert again(change).ready_at is None
    with later(hours=7):
        at = timezone.now()
        yes(change, house.cleo)
    assert again(change).ready_at == at + timedelta(hours=24)
    assert marks("ran", change) == 0


def test_until_then_it_is_approved_and_nothing_is_carried_out(delayed):
    assert execute(delayed.reference).state == State.APPROVED
    assert ask_unknown_again().asked == 0
    assert marks("ran", delayed) == 0
    assert events(delayed)[-1] == EventKind.CHANGE_DELAYED


def test_at_its_end_it_is_carried_out_once_by_the_periodic_task(delayed):
    with later(hours=24, minutes=1):
        assert ask_unknown_again().executed == 1
        assert ask_unknown_again().asked == 0
    assert again(delayed).state == State.EXECUTED
    assert marks("ran", delayed) == 1


def test_one_rejection_ends_it(delayed, house):
    assert no(delayed, house.cleo).state == State.REJECTED
    with later(hours=25):
        ask_unknown_again()
    assert (marks("ran", delayed), marks("released", delayed)) == (0, 1)


def test_who_asked_takes_it_back(delayed, house):
    assert cancel(delayed.reference, actor=house.ana).state == State.CANCELLED
    assert marks("released", delayed) == 1


def test_a_brake_ends_it(delayed, house):
    assert cancel_all(initiator=house.ana, reason="Ana is suspended.", actor=house.olive) == 1
    assert again(delayed).state == State.CANCELLED
    assert (marks("ran", delayed), marks("released", delayed)) == (0, 1)


def test_another_yes_says_that_it_is_late(delayed, house):
    with pytest.raises(Conflict, match="already approved"):
        yes(delayed, house.cleo)
    assert delayed.decisions.count() == 1


def test_who_approved_cannot_turn_round(delayed, house):
    with pytest.raises(Conflict, match="already decided"):
        no(delayed, house.ben)
    assert again(delayed).state == State.APPROVED


def test_who_may_approve_is_asked_again_at_its_end(delayed, house):
    Grant.objects.filter(member=house.ben).delete()
    with later(hours=25):
        assert execute(delayed.reference).state == State.PENDING
        assert again(delayed).ready_at is None
        assert marks("ran", delayed) == 0
        assert yes(delayed, house.cleo).is_delayed


def test_the_right_of_who_asked_is_asked_again_at_its_end(delayed, house):
    Grant.objects.filter(member=house.ana).delete()
    with later(hours=25), pytest.raises(Conflict, match="does not hold Initiate"):
        execute(delayed.reference)
    assert again(delayed).state == State.CANCELLED


def test_a_weaker_policy_does_not_shorten_it(delayed, house):
    """R4: the larger of then and now."""
    house.policy(MONEY, 1)
    with later(hours=23):
        assert execute(delayed.reference).is_delayed
    with later(hours=25):
        assert execute(delayed.reference).state == State.EXECUTED


def test_a_stricter_policy_makes_it_longer(delayed, house):
    house.policy(MONEY, 1, rules=(Rule(approvals=1, delay_hours=72),))
    with later(hours=25):
        assert execute(delayed.reference).is_delayed
    with later(hours=73):
        assert execute(delayed.reference).state == State.EXECUTED


def test_a_stricter_policy_makes_it_wait_for_more_people(delayed, house):
    house.policy(MONEY, 2)
    with later(hours=25):
        assert execute(delayed.reference).state == State.PENDING
    assert marks("ran", delayed) == 0


def test_its_time_to_be_approved_in_is_over_once_it_is_approved(house):
    house.policy(MONEY, 1, open_hours=2, rules=(DAY,))
    change = yes(ask_send(house, house.ana), house.ben)
    with later(hours=5):
        assert expire_due() == 0
    with later(hours=25):
        assert execute(change.reference).state == State.EXECUTED


def test_a_rule_that_denies_by_then_stops_it(delayed, house):
    house.policy(MONEY, 1, rules=(Rule(deny=True),))
    with later(hours=25):
        assert execute(delayed.reference).state == State.PENDING
    assert marks("ran", delayed) == 0


def test_members_with_execute_are_bound_only_where_the_rule_says_always(house):
    house.policy(MONEY, 1, rules=(Rule(approvals=1, delay_hours=24, always=False),))
    assert ask_send(house, house.olive).state == State.EXECUTED
    house.policy(MONEY, 1, rules=(DAY,))
    assert ask_send(house, house.olive).state == State.PENDING


def test_everybody_who_could_stop_it_is_told(delayed, mailoutbox):
    mail.settle()
    told = {address for message in mailoutbox if "goes ahead on" in message.subject for address in message.to}
    assert told == {f"{name}@house.test" for name in ("ana", "ben", "cleo", "fay", "olive")}


def test_the_page_offers_to_reject_it_and_says_until_when(delayed, house, browser):
    shown = page(browser(house.cleo), delayed)
    assert "Approved, and waiting for its time" in shown
    assert 'value="reject"' in shown
    assert 'value="approve"' not in shown


def test_the_page_of_who_approved_offers_nothing(delayed, house, browser):
    shown = page(browser(house.ben), delayed)
    assert "You cannot reject it: you have already decided" in shown
    assert 'value="reject"' not in shown
