"""Approved, carried out outside, and no answer: how it went is asked before anything ends it (DESIGN R5, R8)."""

import pytest
from django.utils import timezone

from policies.changes import cancel_all, cancel_unrightful, execute
from policies.changes.cancel_and_expire import ask_unknown_again
from policies.models import Grant, State
from policies.workflows import Workflow
from portal.core.errors import Conflict
from tests.policies.conftest import again, ask_send, yes
from tests.policies.operations import mark, marks, silent

WITHDRAWAL = Workflow.INITIATE_WITHDRAWAL


@pytest.fixture
def approved(house):
    silent.clear()
    house.policy(WITHDRAWAL, 1)
    change = yes(ask_send(house, house.ana, fault="unavailable"), house.ben)
    assert change.state == State.APPROVED
    return change


def suspend(member):
    type(member).objects.filter(pk=member.pk).update(suspended_at=timezone.now())


@pytest.mark.parametrize("sent", [True, False])
def test_asked_again_after_the_brake_it_is_executed_or_cancelled(house, approved, sent):
    """fault rules-K: sent and its answer lost, it stayed approved for ever."""
    if sent:
        mark("sent", approved)
    suspend(house.ana)
    ask_unknown_again()
    assert again(approved).state == (State.EXECUTED if sent else State.CANCELLED)
    assert marks("released", approved) == (0 if sent else 1)
    with pytest.raises(Conflict):
        execute(approved.reference)


@pytest.mark.parametrize("sent", [True, False])
def test_the_brake_asks_first(house, approved, sent):
    """fault rules-K."""
    if sent:
        mark("sent", approved)
    assert cancel_all(initiator=house.ana, reason="Ana was suspended.", actor=house.olive) == (0 if sent else 1)
    assert again(approved).state == (State.EXECUTED if sent else State.CANCELLED)
    assert marks("released", approved) == (0 if sent else 1)


@pytest.mark.parametrize("sent", [True, False])
def test_less_rights_ask_first(house, approved, sent):
    """fault rules-K."""
    if sent:
        mark("sent", approved)
    Grant.objects.filter(member=house.ana).delete()
    cancel_unrightful(initiator=house.ana, actor=house.olive)
    assert again(approved).state == (State.EXECUTED if sent else State.CANCELLED)


def test_while_nobody_can_say_it_stays_approved_and_keeps_its_hold(house, approved):
    """fault rules-K: not sent and released would pay twice, sent and released would not pay at all."""
    silent.add(approved.reference)
    assert cancel_all(initiator=house.ana, reason="Ana was suspended.", actor=house.olive) == 0
    suspend(house.ana)
    assert execute(approved.reference).state == State.APPROVED
    assert marks("released", approved) == 0
    silent.clear()
    mark("sent", approved)
    assert execute(approved.reference).state == State.EXECUTED


def test_sent_it_never_goes_back_to_waiting(house, approved):
    """fault rules-K: whoever took it back there would have met a hold that is gone."""
    mark("sent", approved)
    Grant.objects.filter(member=house.ben).delete()
    assert execute(approved.reference).state == State.EXECUTED
