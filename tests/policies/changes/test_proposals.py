"""Asking: what runs at once, what waits, and what is not taken at all (DESIGN R1, R5, R6)."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from policies.changes import propose
from policies.models import State
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.core.errors import Conflict, Insufficient, NotFound, Refused, Unavailable
from tests.policies.conftest import again, ask_send, ask_tidy, events, is_untouched, no
from tests.policies.operations import Tidy, marks, tidy

WITHDRAWAL = Workflow.INITIATE_WITHDRAWAL


def test_who_may_finish_alone_does_so_in_the_transaction_of_asking(house):
    change = ask_tidy(house.olive)
    assert (change.state, marks("ran", change)) == (State.EXECUTED, 1)
    assert (change.ended_by, change.receipt) == ("Olive", "Tidy the shelf: done.")
    assert events(change) == [EventKind.CHANGE_REQUESTED, EventKind.CHANGE_EXECUTED]


def test_a_failure_at_once_goes_to_who_asked_and_leaves_nothing(house):
    with pytest.raises(Conflict, match="met a conflict"):
        ask_tidy(house.olive, fault="conflict")
    assert is_untouched(house)


def test_what_opening_refuses_leaves_nothing(house):
    house.policy(WITHDRAWAL, 2)
    with pytest.raises(Insufficient):
        ask_send(house, house.ana, "too much")
    assert is_untouched(house)


def test_numbers_count_within_the_organization(house, next_door):
    next_door.member("zoe", Right.EXECUTE)
    assert [ask_tidy(house.olive, what).number for what in ("a", "b")] == [1, 2]
    assert ask_tidy(next_door.zoe).number == 1


def test_what_is_unavailable_at_once_goes_to_who_asked(house):
    with pytest.raises(Unavailable):
        ask_tidy(house.olive, fault="unavailable")
    assert is_untouched(house)


def test_another_organizations_account_and_member_are_unknown(house, next_door):
    """AZ-3: another Organization's primary keys are not found."""
    with pytest.raises(NotFound):
        ask_tidy(house.ana, about=next_door.eve.pk)
    with pytest.raises(NotFound):
        ask_tidy(house.olive, withdraw_from=next_door.account.pk)
    with pytest.raises(NotFound):
        ask_send(next_door, house.ana)


def test_a_rejected_one_is_not_asked_again_within_the_hour(house):
    change = ask_tidy(house.ana)
    no(change, house.ben)
    with pytest.raises(Conflict, match="less than an hour"):
        ask_tidy(house.ana)
    ask_tidy(house.ana, "another shelf")
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        assert ask_tidy(house.ana).state == State.PENDING


def test_rejected_money_may_be_asked_again_at_once(house):
    house.policy(WITHDRAWAL, 1)
    no(ask_send(house, house.ana), house.ben)
    assert ask_send(house, house.ana).state == State.PENDING


def test_the_same_is_open_once_for_each_initiator(house):
    first = ask_tidy(house.ana)
    with pytest.raises(Conflict, match="request 1"):
        ask_tidy(house.ana)
    house.member("ida", Right.INITIATE)
    ask_tidy(house.ida)
    with time_machine.travel(first.expires_at, tick=False):
        assert ask_tidy(house.ana).state == State.PENDING
    assert again(first).state == State.EXPIRED


def test_twenty_may_be_open_for_a_member(house):
    for number in range(20):
        ask_tidy(house.ana, f"shelf {number}")
    with pytest.raises(Conflict, match="20 requests"):
        ask_tidy(house.ana, "one more")


def test_fifty_may_be_open_for_a_key(house):
    house.policy(WITHDRAWAL, 2)
    key = house.bot()
    for _ in range(50):
        ask_send(house, key.service_user, api_key=key)
    with pytest.raises(Conflict, match="50 requests"):
        ask_send(house, key.service_user, api_key=key)


def test_a_bot_asks_only_through_a_key_of_its_own_that_is_in_force(house):
    house.policy(WITHDRAWAL, 2)
    key, other = house.bot(), house.bot("other-bot")
    for wrong in (None, other):
        with pytest.raises(Refused, match="key of its own"):
            ask_send(house, key.service_user, api_key=wrong)
    type(key).objects.filter(pk=key.pk).update(expires_at=timezone.now())
    with pytest.raises(Refused, match="key of its own"):
        ask_send(house, key.service_user, api_key=key)


def test_a_bot_asks_for_nothing_but_what_its_permission_names(house):
    key = house.bot(permissions=("query-funds",))
    with pytest.raises(Refused, match="permission"):
        ask_send(house, key.service_user, api_key=key)
    key = house.bot("full-bot")
    with pytest.raises(Refused, match="permission"):
        propose(tidy, actor=key.service_user, params=Tidy("x"), api_key=key)
