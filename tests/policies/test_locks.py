"""Locked policies and what they protect (DESIGN P3, P4)."""

from dataclasses import replace

import pytest

from policies.changes import ask_again, cancel, propose
from policies.models import ChangeRequest, Policy, State
from policies.operations import (
    ConfigurePolicy,
    LockPolicy,
    RemovePolicy,
    UnlockPolicy,
    configure_policy,
    lock_policy,
    remove_policy,
    unlock_policy,
)
from policies.registry import get
from policies.rules import (
    WITHDRAW,
    Asked,
    Held,
    Need,
    Person,
    Reason,
    Terms,
    approvals_needed,
    is_locked,
    locked_demand,
    why_not,
)
from policies.rules.stages import Stage, stage
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, Refused
from tests.policies.conftest import again, yes

ACCESS, POLICIES, ADDRESSES, WITHDRAWAL = Workflow


def person(pk, right, workflow=ACCESS, **more) -> Person:
    return Person(pk, pk, f"P{pk}", factors=frozenset({"totp"}), grants=frozenset({Held(workflow, right)}), **more)


def terms(workflow, approvals, *, always=False, locked=False) -> Terms:
    return Terms(workflow, approvals, always, 72, locked)


EXECUTES, INITIATES, REVIEWS = person(1, Right.EXECUTE), person(2, Right.INITIATE), person(3, Right.APPROVE)
LOCK_OF_THREE = terms(WITHDRAWAL, 3, locked=True)


@pytest.mark.parametrize(
    ("initiator", "policies", "plain", "protected"),
    [
        (EXECUTES, [LOCK_OF_THREE], 0, 3),
        (EXECUTES, [LOCK_OF_THREE, terms(ACCESS, 2)], 0, 3),
        (EXECUTES, [LOCK_OF_THREE, terms(ACCESS, 5)], 0, 5),
        (EXECUTES, [LOCK_OF_THREE, terms(ACCESS, 2, always=True)], 2, 3),
        (EXECUTES, [LOCK_OF_THREE, terms(POLICIES, 4, locked=True), terms(ADDRESSES, 9)], 0, 4),
        (EXECUTES, [terms(ACCESS, 1, locked=True)], 0, 1),
        (INITIATES, [LOCK_OF_THREE], 1, 3),
        (INITIATES, [LOCK_OF_THREE, terms(ACCESS, 4)], 4, 4),
    ],
)
def test_a_protected_change_needs_the_larger_number_and_never_none(initiator, policies, plain, protected):
    """CR-14: P2 as raised by P3 and P4."""
    assert approvals_needed(Asked(ACCESS, initiator), policies) == Need(plain)
    assert approvals_needed(Asked(ACCESS, initiator, protected=True), policies) == Need(protected)


def test_who_reviews_an_identity_alone_does_not_where_it_is_protected():
    """M3: unprotected it runs at once; protected, the reviewer is not among the approvals."""
    asked = Asked(ACCESS, REVIEWS, subject=9, alone=True)
    assert approvals_needed(asked, [LOCK_OF_THREE, terms(ACCESS, 2, always=True)]) == Need(0)
    protected = replace(asked, protected=True)
    assert approvals_needed(protected, [LOCK_OF_THREE]) == Need(3)
    assert why_not(REVIEWS, protected, "any") is Reason.INITIATOR


def test_an_acceptance_never_takes_from_the_number_of_a_lock():
    """O3: P4's number stands."""
    transfer = Asked(ACCESS, EXECUTES, subject=9, least=1, spared=1)
    assert approvals_needed(transfer, [terms(ACCESS, 2, always=True)]) == Need(1)
    assert approvals_needed(replace(transfer, protected=True), [LOCK_OF_THREE]) == Need(3)


def test_who_rests_approves_nothing_of_access_locked_or_not():
    """M4, F-10, fault rules-C: until 24 hours after they have enrolled again."""
    resting = replace(REVIEWS, is_resting=True)
    assert why_not(resting, Asked(ACCESS, INITIATES), "any") is Reason.RESTING
    assert why_not(resting, Asked(ACCESS, INITIATES, protected=True), "any") is Reason.RESTING


@pytest.mark.parametrize("broken", [{"approvals": 0}, {"is_locked": 2}, {"is_locked": None}])
def test_a_lock_that_cannot_be_read_refuses_what_it_may_protect(broken):
    """CR-14: an unreadable policy means refused, never zero approvals."""
    policies = [replace(LOCK_OF_THREE, **broken)]
    assert is_locked(policies)
    with pytest.raises(Refused, match="cannot be read"):
        locked_demand(policies)
    with pytest.raises(Refused, match="cannot be read"):
        approvals_needed(Asked(ACCESS, EXECUTES, protected=True), policies)
    assert approvals_needed(Asked(ACCESS, EXECUTES), policies) == Need(0)


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ((None, False, False), Stage.BOOTSTRAP),
        ((1, False, False), Stage.CONFIGURED),
        ((1, False, True), Stage.CONFIGURED),
        ((1, True, False), Stage.ENFORCED),
        ((1, True, True), Stage.LOCKED),
    ],
)
def test_each_stage_holds_what_the_one_before_it_does(says, expected):
    assert stage(*says) is expected


# The operations themselves.


def lock(actor, workflow, approvals, *, always=True):
    return propose(lock_policy, actor=actor, params=LockPolicy(workflow, approvals, always))


def locked(house, actor, workflow, approvals):
    """Locked, by as many as it takes afterwards (DESIGN P3)."""
    change = lock(actor, workflow, approvals)
    for name in ("ben", "cleo", "fay")[: change.approvals_required]:
        change = yes(change, house.people[name])
    return change


def configure(actor, workflow, approvals, *, always=True):
    return propose(configure_policy, actor=actor, params=ConfigurePolicy(workflow, approvals, always))


def remove(actor, workflow):
    return propose(remove_policy, actor=actor, params=RemovePolicy(workflow))


def unlock(actor, workflow):
    return propose(unlock_policy, actor=actor, params=UnlockPolicy(workflow))


def test_locking_and_unlocking_are_asked_for_and_recorded(house):
    policy = house.policy(WITHDRAWAL, 2)
    assert locked(house, house.olive, WITHDRAWAL, 2).state == State.EXECUTED
    policy.refresh_from_db()
    assert policy.is_locked
    change = unlock(house.olive, WITHDRAWAL)
    assert (change.state, change.approvals_required) == (State.PENDING, 2)
    yes(change, house.ben)
    assert yes(change, house.cleo).state == State.EXECUTED
    policy.refresh_from_db()
    assert not policy.is_locked
    kinds = AuditEvent.objects.filter(organization=house.organization, subject_kind="policy").order_by("sequence")
    assert list(kinds.values_list("kind", flat=True)) == [EventKind.POLICY_LOCKED, EventKind.POLICY_UNLOCKED]


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda member: configure(member, WITHDRAWAL, 3), id="tightening"),
        pytest.param(lambda member: configure(member, WITHDRAWAL, 1), id="weakening"),
        pytest.param(lambda member: configure(member, WITHDRAWAL, 2, always=False), id="freeing"),
        pytest.param(lambda member: unlock(member, WITHDRAWAL), id="unlocking"),
        pytest.param(lambda member: remove(member, WITHDRAWAL), id="removing"),
    ],
)
@pytest.mark.parametrize("name", ["olive", "ana"])
def test_a_locked_policy_changes_only_by_approval_whoever_asks(house, ask, name):
    """P3: Olive may execute here, and waits like Ana; each says before and after."""
    house.policy(WITHDRAWAL, 2, locked=True)
    change = ask(house.people[name])
    assert (change.state, change.approvals_required) == (State.PENDING, 2)
    assert Policy.objects.get(organization=house.organization).is_locked
    rows = get(change.operation).describe(change).changes
    assert rows
    assert all(row.before != row.after for row in rows)
    yes(change, house.ben)
    assert again(change).state == State.PENDING
    assert yes(change, house.cleo).state == State.EXECUTED


def test_a_change_of_a_locked_policy_leaves_it_locked(house):
    house.policy(WITHDRAWAL, 1, locked=True)
    yes(configure(house.olive, WITHDRAWAL, 2), house.ben)
    policy = Policy.objects.get(organization=house.organization)
    assert (policy.approvals, policy.is_locked) == (2, True)


def test_an_unlocked_neighbour_is_changed_by_its_own_rules(house):
    house.policy(WITHDRAWAL, 2, locked=True)
    house.policy(ADDRESSES, 2)
    assert configure(house.olive, ADDRESSES, 1).state == State.EXECUTED


def test_what_was_opened_before_the_lock_is_bound_by_it(house):
    """P4 and R4: a removal that one approval would have carried out needs three once another such lock asks for it."""
    house.policy(WITHDRAWAL, 1)
    assert locked(house, house.olive, WITHDRAWAL, 1).state == State.EXECUTED
    change = remove(house.ana, WITHDRAWAL)
    assert change.approvals_required == 1
    house.policy(ADDRESSES, 3)
    assert locked(house, house.olive, ADDRESSES, 3).state == State.EXECUTED
    for name in ("ben", "cleo"):
        assert yes(change, house.people[name]).state == State.PENDING
    assert yes(change, house.fay).state == State.EXECUTED


def test_what_was_asked_before_its_policy_was_locked_is_stale(house):
    """R6: the lock is one of the fields that a removal would write, so whoever asked has to look again."""
    house.policy(WITHDRAWAL, 3)
    change = remove(house.ana, WITHDRAWAL)
    assert locked(house, house.olive, WITHDRAWAL, 3).state == State.EXECUTED
    change.refresh_from_db()
    assert change.state == State.STALE


def test_a_lock_asked_again_is_on_the_policy_as_it_is_by_then(house):
    """R8: the numbers of before would be refused for ever."""
    house.policy(WITHDRAWAL, 2)
    first = lock(house.ana, WITHDRAWAL, 2)
    configure(house.olive, WITHDRAWAL, 3)
    assert again(first).state == State.STALE
    anew = ask_again(first.reference, member=house.ana)
    assert (anew.params["approvals"], anew.params["always"]) == (3, True)


def test_only_what_the_approvers_saw_is_locked(house):
    house.policy(WITHDRAWAL, 2)
    change = lock(house.ana, WITHDRAWAL, 2)
    configure(house.olive, WITHDRAWAL, 1)
    change.refresh_from_db()
    assert change.state == State.STALE
    assert not Policy.objects.get(organization=house.organization).is_locked


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda house: lock(house.olive, ADDRESSES, 1), "no policy"),
        (lambda house: unlock(house.olive, ADDRESSES), "no policy"),
        (lambda house: unlock(house.olive, WITHDRAWAL), "not locked"),
        (lambda house: lock(house.olive, WITHDRAWAL, 1), "was changed"),
    ],
)
def test_what_cannot_be_locked_or_unlocked_says_so(house, ask, words):
    house.policy(WITHDRAWAL, 2)
    with pytest.raises(Conflict, match=words):
        ask(house)
    assert not ChangeRequest.objects.filter(organization=house.organization).exists()


def test_a_policy_is_locked_once(house):
    house.policy(WITHDRAWAL, 2, locked=True)
    with pytest.raises(Conflict, match="locked already"):
        lock(house.olive, WITHDRAWAL, 2)


def test_a_lock_that_nobody_could_undo_is_refused_with_the_order_that_works(house):
    """P5: Ben, Cleo and Fay approve; where Olive asks for one of four there is nobody else."""
    house.policy(WITHDRAWAL, 3)
    house.member("gus", Right.APPROVE, workflows=(WITHDRAWAL,))
    configure(house.olive, WITHDRAWAL, 4)
    with pytest.raises(Refused, match=r"Manage (Access|Policies), asked by .* would need 4 .*First give Approve on"):
        lock(house.olive, WITHDRAWAL, 4)


def test_who_frees_a_bot_is_named_to_those_who_decide(house):
    """Removing the policy of Initiate Withdrawal: no custodian approves it (P2), and the others are told."""
    house.policy(WITHDRAWAL, 2)
    house.bot(made_by="ben", permissions=(WITHDRAW,))
    change = remove(house.ana, WITHDRAWAL)
    (notice,) = [one for one in get(change.operation).describe(change).notices if "Bots" in one.title]
    assert "treasury-bot (custodians: Ben)" in notice.text
    cancel(change.reference, actor=house.ana)


def test_a_removal_that_frees_no_bot_names_none(house):
    house.policy(WITHDRAWAL, 2)
    house.policy(ADDRESSES, 2)
    house.bot(made_by="ben", permissions=(WITHDRAW,))
    change = remove(house.ana, ADDRESSES)
    assert [one.title for one in get(change.operation).describe(change).notices] == ["This takes a safeguard away."]
