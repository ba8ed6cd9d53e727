"""Two changes of one group at the same moment, and a removal against a rule that asks for the group (R6, P7)."""

import pytest

from policies.changes import propose
from policies.models import Group, Policy, State
from policies.operations import ConfigurePolicy, configure_policy
from policies.rules.language import GroupApprovals, Rule
from policies.workflows import Right, Workflow
from portal.audit import chain
from portal.core.errors import DomainError
from tests.policies.changes.test_races import one_conflict, race, state
from tests.policies.conftest import yes
from tests.policies.groups.conftest import change, create, in_it, remove

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


def test_a_removal_and_a_rule_that_asks_for_the_group_do_not_both_come_about(house, race, make):
    board = make("Board", house.ben, house.cleo, house.fay)
    rules = (Rule(groups=(GroupApprovals(board.pk, 1),)),)
    policy = ConfigurePolicy(Workflow.MANAGE_ADDRESSES, 1, always=True, rules=rules)
    outcomes = race(
        lambda: remove(house.olive, Group.objects.get(pk=board.pk)),
        lambda: propose(configure_policy, actor=house.olive, params=policy),
    )
    assert len([one for one in outcomes if isinstance(one, DomainError)]) == 1, outcomes
    is_named = Policy.objects.filter(organization=house.organization).exists()
    assert Group.objects.filter(pk=board.pk, removed_at=None).exists() is is_named


def test_of_a_removal_and_a_rule_approved_at_once_one_is_carried_out(house, race, make):
    board = make("Board", house.ben, house.cleo, house.fay)
    rules = (Rule(groups=(GroupApprovals(board.pk, 1),)),)
    policy = ConfigurePolicy(Workflow.MANAGE_ADDRESSES, 1, always=True, rules=rules)
    waiting = propose(configure_policy, actor=house.ana, params=policy)
    going = remove(house.ana, board)
    race(lambda: yes(waiting, house.ben), lambda: yes(going, house.cleo))
    assert {state(waiting), state(going)} == {State.EXECUTED, State.FAILED}


def test_of_two_groups_of_one_name_one_is_made(house, race):
    outcomes = race(lambda: create(house.olive, "Board", house.ben), lambda: create(house.olive, "BOARD", house.cleo))
    assert len([one for one in outcomes if isinstance(one, Exception)]) == 1, outcomes
    assert Group.objects.count() == 1
