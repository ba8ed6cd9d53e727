"""The rules alone, without a database: the whole table of P2, who may decide, and what no longer counts."""

from dataclasses import replace

import pytest

from policies.rules import (
    PASSKEY,
    WITHDRAW,
    Asked,
    Bot,
    Facts,
    Held,
    Key,
    Need,
    Person,
    Reason,
    Terms,
    approvals_needed,
    eligible,
    is_met,
    lost_right,
    policy_of,
    still_needed,
    why_not,
)
from policies.rules.language import Demand
from policies.workflows import Right, Workflow
from portal.core.errors import Refused

ACCESS, ADDRESSES, WITHDRAWAL = Workflow.MANAGE_ACCESS, Workflow.MANAGE_ADDRESSES, Workflow.INITIATE_WITHDRAWAL


def person(pk, *rights, workflow=WITHDRAWAL, account=None, **more) -> Person:
    grants = frozenset(Held(workflow, right, account) for right in rights)
    return Person(pk, pk, f"P{pk}", factors=frozenset({"totp"}), grants=grants, **more)


def policy(approvals=2, *, always=False, workflow=WITHDRAWAL) -> Terms:
    return Terms(workflow, approvals, always, 72)


BOT = Bot(7, "bot", 1, permissions=frozenset({WITHDRAW}), keys=(Key(1, frozenset({9})),))
EXECUTES, INITIATES = person(1, Right.EXECUTE), person(2, Right.INITIATE)


@pytest.mark.parametrize(
    ("initiator", "terms", "needed"),
    [
        (EXECUTES, None, 0),
        (EXECUTES, policy(3), 0),
        (EXECUTES, policy(3, always=True), 3),
        (INITIATES, None, 1),
        (INITIATES, policy(3), 3),
        (INITIATES, policy(3, always=True), 3),
        (BOT, None, 0),
        (BOT, policy(3), 3),
        (BOT, policy(3, always=True), 3),
    ],
)
def test_who_finishes_alone_is_this_table(initiator, terms, needed):
    """CR-14: the whole table of P2."""
    assert approvals_needed(Asked(WITHDRAWAL, initiator, 1), [terms] if terms else []) == Need(needed)


def test_a_policy_of_another_workflow_asks_nothing_here():
    assert approvals_needed(Asked(WITHDRAWAL, INITIATES, 1), [policy(5, workflow=ACCESS)]) == Need(1)


def test_execute_on_another_account_is_not_execute():
    elsewhere = person(1, Right.EXECUTE, account=2)
    assert approvals_needed(Asked(WITHDRAWAL, elsewhere, 1), []) == Need(1)
    assert approvals_needed(Asked(WITHDRAWAL, elsewhere, 2), []) == Need(0)


@pytest.mark.parametrize("terms", [[], [policy(2, workflow=ACCESS)]])
def test_a_change_of_ones_own_rights_never_runs_at_once(terms):
    """AZ-6: nobody executes alone a change of their own rights."""
    me = person(1, Right.EXECUTE, workflow=ACCESS)
    assert approvals_needed(Asked(ACCESS, me, subject=1), terms) == Need(1)
    assert approvals_needed(Asked(ACCESS, me, subject=2), terms) == Need(0)


def test_giving_withdraw_where_nothing_governs_it_takes_somebody_who_may_execute_it():
    asker = person(1, Right.EXECUTE, workflow=ACCESS)
    asked = Asked(ACCESS, asker, gives_withdraw=frozenset({1}))
    need = approvals_needed(asked, [])
    assert need == Need(1, voucher=True)
    plain = person(2, Right.APPROVE, workflow=ACCESS)
    able = replace(plain, grants=plain.grants | {Held(WITHDRAWAL, Right.EXECUTE, 1)})
    elsewhere = replace(plain, grants=plain.grants | {Held(WITHDRAWAL, Right.EXECUTE, 2)})
    assert not is_met(need, [plain], asked)
    assert not is_met(need, [plain, elsewhere], asked)
    assert is_met(need, [able], asked)


@pytest.mark.parametrize(
    ("own", "terms", "need"),
    [
        ([], [policy(2)], Need(0)),
        ([Held(WITHDRAWAL, Right.EXECUTE, 1)], [], Need(0)),
        ([Held(WITHDRAWAL, Right.EXECUTE, 2)], [], Need(1, voucher=True)),
        ([Held(WITHDRAWAL, Right.INITIATE, 1)], [], Need(1, voucher=True)),
        ([], [policy(3, always=True, workflow=ACCESS)], Need(3, voucher=True)),
    ],
)
def test_giving_withdraw_asks_no_more_where_a_policy_governs_it_or_the_asker_may_execute_it(own, terms, need):
    asker = person(1, Right.EXECUTE, workflow=ACCESS)
    asker = replace(asker, grants=asker.grants | set(own))
    assert approvals_needed(Asked(ACCESS, asker, gives_withdraw=frozenset({1})), terms) == need


@pytest.mark.parametrize(
    "terms",
    [
        [policy(0)],
        [policy(-1)],
        [policy(21)],
        [policy(None)],
        [policy("2")],
        [policy(True)],
        [policy(2, always=None)],
        [policy(2, always=2)],
        [Terms(WITHDRAWAL, 2, False, 0)],
        [Terms(WITHDRAWAL, 2, False, 721)],
        [Terms(WITHDRAWAL, 2, False, None)],  # type: ignore[arg-type]
        [policy(1), policy(2)],
    ],
)
@pytest.mark.parametrize("initiator", [EXECUTES, INITIATES, BOT])
def test_an_unreadable_policy_refuses_and_never_means_nought(terms, initiator):
    """DESIGN P1, CR-14: an unreadable or ambiguous policy means refused, never zero approvals."""
    with pytest.raises(Refused, match="cannot be read"):
        approvals_needed(Asked(WITHDRAWAL, initiator, 1), terms)
    with pytest.raises(Refused):
        policy_of(terms, WITHDRAWAL)


APPROVER = person(3, Right.APPROVE)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, None),
        ({"is_active": False}, Reason.REMOVED),
        ({"is_verified": False}, Reason.UNVERIFIED),
        ({"factors": frozenset()}, Reason.NO_FACTOR),
        ({"grants": frozenset()}, Reason.NO_RIGHT),
        ({"grants": frozenset({Held(WITHDRAWAL, Right.INITIATE)})}, Reason.ONLY_ASKS),
        ({"grants": frozenset({Held(WITHDRAWAL, Right.EXECUTE)})}, Reason.ONLY_ASKS),
        ({"grants": frozenset({Held(WITHDRAWAL, Right.VIEW)})}, Reason.ONLY_VIEWS),
        ({"grants": frozenset({Held(ADDRESSES, Right.APPROVE)})}, Reason.NO_RIGHT),
        ({"grants": frozenset({Held(WITHDRAWAL, Right.APPROVE, 2)})}, Reason.NO_RIGHT),
        ({"grants": frozenset({Held(WITHDRAWAL, Right.APPROVE, 1)})}, None),
        ({"user_id": 2}, Reason.INITIATOR),
        ({"user_id": 5}, Reason.SUBJECT),
    ],
)
def test_who_may_decide(changed, reason):
    asked = Asked(WITHDRAWAL, INITIATES, 1, subject=5)
    assert why_not(replace(APPROVER, **changed), asked, "any") is reason


def test_a_custodian_never_decides_what_the_key_asks():
    assert why_not(replace(APPROVER, user_id=9), Asked(WITHDRAWAL, BOT, 1), "any") is Reason.CUSTODIAN


def test_where_a_passkey_is_required_an_authenticator_app_does_not_do():
    """F-12: an approver with an app only does not meet the level."""
    asked = Asked(WITHDRAWAL, BOT, 1)
    assert why_not(APPROVER, asked, PASSKEY) is Reason.NO_PASSKEY
    assert why_not(replace(APPROVER, factors=frozenset({PASSKEY})), asked, PASSKEY) is None


def test_the_person_counts_and_not_the_membership():
    other_hat = replace(INITIATES, member_id=99, grants=APPROVER.grants)
    assert eligible(Asked(WITHDRAWAL, INITIATES, 1), Facts("any", people=(other_hat, APPROVER))) == (APPROVER,)


@pytest.mark.parametrize(("then", "now", "both"), [(2, 1, 2), (2, 0, 2), (1, 3, 3), (0, 0, 0)])
def test_the_larger_of_then_and_now(then, now, both):
    assert still_needed(Demand(then), Need(now)).approvals == both


@pytest.mark.parametrize(
    ("initiator", "lacks"),
    [
        (INITIATES, False),
        (EXECUTES, False),
        (person(3, Right.APPROVE), True),
        (person(3, Right.VIEW), True),
        (replace(INITIATES, is_active=False), True),
        (replace(INITIATES, is_verified=False), True),
        (person(3, Right.INITIATE, account=2), True),
        (BOT, False),
        (replace(BOT, is_active=False), True),
        (replace(BOT, permissions=frozenset({"query-funds"})), True),
        (replace(BOT, account_id=2), True),
    ],
)
def test_what_asking_takes(initiator, lacks):
    assert (lost_right(initiator, WITHDRAWAL, 1, WITHDRAW) is not None) is lacks


def test_a_bot_may_not_ask_for_what_names_no_permission():
    assert lost_right(BOT, ACCESS, 1, "") is not None


def test_each_reason_speaks_of_and_to_the_person():
    assert all(reason.they and reason.you for reason in Reason)
