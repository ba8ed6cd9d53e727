"""Two changes of one group at the same moment, and a removal against a rule that asks for the group (R6, P7)."""

import pytest

from policies.models import Group, State
from policies.workflows import Right
from portal.audit import chain
from tests.policies.changes.test_races import one_conflict, race, state
from tests.policies.conftest import yes
from tests.policies.groups.conftest import change, create, in_it

__all__ = ["race"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_of_two_changes_at_once_the_second_is_told(house, race, make):
    board = make("Board", house.ben)
    outcomes = race(
        lambda: change(house.olive, Group.objects.get(pk=board.pk), members=[house.ben, house.cleo]),
        lambda: change(house.olive, Group.objects.get(pk=board.pk), members=[house.ben, house.fay]),
    )
    assert one_conflict(outcomes), outcomes
    assert in_it(board) in ({"Ben", "Cleo"}, {"Ben", "Fay"})
    assert chain.verify(house.organization.pk) is None


def test_of_two_last_approvals_at_once_one_is_carried_out_and_the_other_stale(house, race, make):
    board = make("Board", house.olive)
    first = change(house.ana, board, members=[house.olive, house.ben])
    house.member("ida", Right.INITIATE)
    second = change(house.ida, board, members=[house.olive, house.cleo])
    race(lambda: yes(first, house.fay), lambda: yes(second, house.fay))
    assert {state(first), state(second)} == {State.EXECUTED, State.STALE}
    assert in_it(board) in ({"Olive", "Ben"}, {"Olive", "Cleo"})


def test_of_two_groups_of_one_name_one_is_made(house, race):
    outcomes = race(lambda: create(house.olive, "Board", house.ben), lambda: create(house.olive, "BOARD", house.cleo))
    assert len([one for one in outcomes if isinstance(one, Exception)]) == 1, outcomes
    assert Group.objects.count() == 1
