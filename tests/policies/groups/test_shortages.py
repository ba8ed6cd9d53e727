"""No dead end by groups: nobody leaves one without whom a rule's requests could not be finished (DESIGN P5, P7)."""

import pytest

from accounts.members.end_membership import RemoveMember, remove_member
from policies.changes import propose
from policies.models import State
from policies.workflows import Workflow
from portal.core.errors import Refused
from tests.policies.conftest import yes
from tests.policies.groups.conftest import ask_of, change, in_it

pytestmark = pytest.mark.django_db
ADDRESSES = Workflow.MANAGE_ADDRESSES


def test_nobody_leaves_a_group_below_what_a_rule_asks_of_it(house, make):
    board = make("Board", house.ben, house.cleo)
    ask_of(house, board, 2, workflow=ADDRESSES)
    with pytest.raises(Refused, match="Board"):
        change(house.olive, board, members=[house.ben])
    assert in_it(board) == {"Ben", "Cleo"}


def test_who_comes_in_for_them_makes_it_pass(house, make):
    board = make("Board", house.ben, house.cleo)
    ask_of(house, board, 2, workflow=ADDRESSES)
    assert change(house.olive, board, members=[house.ben, house.fay]).state == State.EXECUTED


def test_who_cannot_approve_there_does_not_count(house, make):
    board = make("Board", house.ben, house.cleo)
    ask_of(house, board, 2, workflow=ADDRESSES)
    with pytest.raises(Refused, match="Board"):
        change(house.olive, board, members=[house.ben, house.otto])


def test_a_shortage_that_came_since_is_found_when_it_is_carried_out(house, make):
    board = make("Board", house.ben, house.cleo, house.fay)
    ask_of(house, board, 1, workflow=ADDRESSES)
    out = change(house.ana, board, members=[house.fay])
    ask_of(house, board, 3, workflow=ADDRESSES)
    assert yes(out, house.fay).state == State.FAILED
    assert in_it(board) == {"Ben", "Cleo", "Fay"}


def test_who_is_removed_leaves_no_group_below_what_a_rule_asks_of_it(house, make):
    board = make("Board", house.ben, house.cleo)
    ask_of(house, board, 2, workflow=ADDRESSES)
    with pytest.raises(Refused, match="Board"):
        propose(remove_member, actor=house.olive, params=RemoveMember(house.cleo.pk, ()))
    assert in_it(board) == {"Ben", "Cleo"}


def test_a_shortage_there_was_already_does_not_keep_others_from_coming_in(house, make):
    board = make("Board", house.otto)
    ask_of(house, board, 2, workflow=ADDRESSES)
    assert change(house.olive, board, members=[house.otto, house.ben]).state == State.EXECUTED
