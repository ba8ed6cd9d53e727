"""What binds all others takes as many as it asks for afterwards (P3); what frees keys takes who may free them (P2)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from policies.changes import cancel, propose
from policies.models import Grant, Policy, State
from policies.operations import ConfigurePolicy, configure_policy, lock_policy
from policies.operations.lock import pinned
from policies.rules import WITHDRAW, Asked, approvals_needed
from policies.rules.binding_changes import least_to_lock
from policies.rules.language import NOTHING, Demand, GroupApprovals, Rule
from policies.snapshot import gather
from policies.workflows import Right, Workflow
from portal.core.errors import Refused
from tests.policies.conftest import yes
from tests.policies.test_locks import configure, lock, remove

pytestmark = pytest.mark.django_db
ACCESS, POLICIES = Workflow.MANAGE_ACCESS, Workflow.MANAGE_POLICIES
WITHDRAWAL = Workflow.INITIATE_WITHDRAWAL


@pytest.mark.parametrize("workflow", [ACCESS, POLICIES])
def test_nobody_makes_themselves_the_one_who_is_always_needed(house, workflow):
    """fault rules-H: Olive alone asked for three on what would undo it, with three people to give them."""
    Grant.objects.filter(member=house.ana).delete()
    change = configure(house.olive, workflow, 3)
    assert (change.state, change.approvals_required) == (State.PENDING, 3)
    for name in ("ben", "cleo"):
        assert yes(change, house.people[name]).state == State.PENDING
    assert yes(change, house.fay).state == State.EXECUTED


def test_a_policy_that_leaves_somebody_spare_is_set_as_before(house):
    """fault rules-H: the roll-out begins alone."""
    assert configure(house.olive, POLICIES, 1, always=False).state == State.EXECUTED
    assert configure(house.olive, ACCESS, 3).state == State.EXECUTED, "Ana could ask, and one may be missing"
    assert configure(house.olive, WITHDRAWAL, 3).state == State.EXECUTED


@pytest.mark.parametrize(("workflow", "approvals"), [(WITHDRAWAL, 2), (POLICIES, 1), (ACCESS, 2)])
def test_a_lock_takes_as_many_as_undoing_it(house, workflow, approvals):
    """fault rules-H: else one person binds all others for good."""
    house.policy(workflow, approvals)
    change = lock(house.olive, workflow, approvals)
    assert (change.state, change.approvals_required) == (State.PENDING, approvals)
    for name in ("ben", "cleo")[:approvals]:
        change = yes(change, house.people[name])
    assert change.state == State.EXECUTED


def test_a_lock_takes_as_many_of_each_group_as_undoing_it(house):
    """P3 by group: the number alone would let others agree to what they could then not take back."""
    finance = house.group("Finance", "ben", "cleo", "fay")
    rules = (Rule(approvals=1), Rule(groups=(GroupApprovals(finance, 2),), amount=Decimal(1000)))
    policy = house.policy(WITHDRAWAL, 1, rules=rules)
    change = propose(lock_policy, actor=house.olive, params=pinned(policy))
    assert (change.state, change.required) == (State.PENDING, Demand(1, ((finance, 2),)))
    assert yes(change, house.ben).state == State.PENDING
    assert yes(change, house.cleo).state == State.EXECUTED


def test_rules_that_deny_or_delay_are_never_set_at_once(house):
    """P5: nobody stops everybody alone, though nobody is missing then."""
    params = ConfigurePolicy(WITHDRAWAL, 1, always=True, rules=(Rule(approvals=1), Rule(deny=True, amount=Decimal(9))))
    change = propose(configure_policy, actor=house.olive, params=params)
    assert (change.state, change.approvals_required) == (State.PENDING, 1)
    assert yes(change, house.ben).state == State.EXECUTED
    again = propose(configure_policy, actor=house.olive, params=replace(params, open_hours=24))
    assert again.state == State.EXECUTED, "what is denied already is denied by nobody anew"


def test_a_rule_that_a_group_cannot_satisfy_is_refused(house):
    """P5 by cell and group."""
    board = house.group("Board", "ben")
    rules = (Rule(approvals=1), Rule(groups=(GroupApprovals(board, 2),), amount=Decimal(9)))
    with pytest.raises(Refused, match=r"of 9 or more, asked by .*, would need 2 of Board, and 1 approver is missing"):
        propose(configure_policy, actor=house.olive, params=ConfigurePolicy(WITHDRAWAL, 1, always=True, rules=rules))


def test_who_holds_a_freed_key_does_not_agree_to_free_it(house):
    """fault rules-g: Ben, custodian of a key with Withdraw, gave the one approval, and sent all of it himself."""
    house.policy(WITHDRAWAL, 2)
    house.policy(POLICIES, 1)
    house.bot(made_by="ben", permissions=(WITHDRAW,))
    for name in ("ben", "cleo"):
        Grant.objects.create(member=house.people[name], workflow=WITHDRAWAL, right=Right.EXECUTE)
    change = remove(house.ana, WITHDRAWAL)
    with pytest.raises(Refused, match="hold a key that would withdraw at once"):
        yes(change, house.ben)
    assert yes(change, house.fay).state == State.PENDING, "she may not execute withdrawals"
    assert yes(change, house.cleo).state == State.EXECUTED
    assert not Policy.objects.filter(organization=house.organization, workflow=WITHDRAWAL).exists()


def test_keys_are_freed_by_nobody_who_may_not_send(house):
    """fault rules-g: it asks for what giving Withdraw asks: Execute there, from who asks or from one approver."""
    house.policy(WITHDRAWAL, 2)
    house.bot(made_by="fay", permissions=(WITHDRAW,))
    change = remove(house.ana, WITHDRAWAL)
    assert yes(change, house.ben).state == State.PENDING
    cancel(change.reference, actor=house.ana)
    olive = Grant.objects.filter(member=house.olive, workflow=WITHDRAWAL, right=Right.EXECUTE)
    held = list(olive)
    olive.delete()
    with pytest.raises(Refused, match="has to hold Execute on Initiate Withdrawal"):
        remove(house.ana, WITHDRAWAL)
    Grant.objects.bulk_create(held)
    assert remove(house.olive, WITHDRAWAL).state == State.EXECUTED


def test_a_removal_that_frees_no_key_asks_nothing_more(house):
    """fault rules-g: without a key that may withdraw it is as before."""
    house.policy(WITHDRAWAL, 2)
    change = remove(house.ana, WITHDRAWAL)
    assert change.approvals_required == 1
    cancel(change.reference, actor=house.ana)


def test_freeing_keys_is_protected_while_anything_is_locked(house):
    """fault rules-g, P4: as many as the lock asks for, whoever asks."""
    house.policy(WITHDRAWAL, 1)
    house.policy(ACCESS, 2, locked=True)
    house.bot(made_by="ana", permissions=(WITHDRAW,))
    change = remove(house.olive, WITHDRAWAL)
    assert (change.state, change.approvals_required) == (State.PENDING, 2)


def test_a_policy_that_cannot_be_read_is_counted_by_nobody_and_stops_its_lock(house):
    """P1: counting it as nought opens nothing, because what asks for approvals refuses it."""
    house.policy(WITHDRAWAL, 2)
    facts = gather(house.organization)
    spoiled = replace(facts, policies=tuple(replace(terms, approvals=0) for terms in facts.policies))
    olive = facts.person(house.olive.pk)
    assert olive is not None
    assert least_to_lock(spoiled, WITHDRAWAL, olive) == NOTHING
    with pytest.raises(Refused, match="cannot be read"):
        approvals_needed(Asked(WITHDRAWAL, olive), spoiled.policies)
