"""Rest and power under way, in every small Organization that hypothesis makes (DESIGN M4, P4, P5, P6)."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.rules import RESTED, Asked, Facts, approvals_needed, eligible, is_met
from policies.rules.dead_ends import shortages
from policies.rules.effective_quorum import Target, strength
from policies.rules.spare_approvers import spare_people
from policies.workflows import Right, Workflow
from tests.policies import small

pytestmark = pytest.mark.slow


def with_rest(facts: Facts, *, rest: bool) -> Facts:
    return replace(facts, people=tuple(replace(one, is_resting=rest) for one in facts.people))


@settings(deadline=None)
@given(small.organizations())
def test_rest_is_no_shortage_and_no_weakness(facts):
    """fault rules-C, P5, P6: it ends by itself, so dead ends, spare people and strength are as without it."""
    asleep, awake = with_rest(facts, rest=True), with_rest(facts, rest=False)
    assert shortages(asleep) == shortages(awake)
    for workflow in Workflow:
        for account_id in facts.accounts if workflow.by_account else (None,):
            assert spare_people(asleep, workflow, account_id) == spare_people(awake, workflow, account_id)
    target = Target(Workflow.MANAGE_ACCESS)
    found, plain = strength(asleep, target), strength(awake, target)
    assert (found.group, found.expected) == (plain.group, plain.expected)


@settings(deadline=None)
@given(small.organizations(), st.sampled_from(Workflow), st.booleans(), st.booleans())
def test_nobody_who_rests_finishes_alone_or_helps_to_finish(facts, workflow, protected, alone):
    """fault rules-C, fault security-H2: at least one approval, never fewer than awake, and none of who rests."""
    for person in with_rest(facts, rest=True).people:
        for account_id in facts.accounts if workflow.by_account else (None,):
            asked = Asked(workflow, person, account_id, protected=protected, alone=alone)
            awake = replace(asked, initiator=person.awake)
            try:
                need, before = approvals_needed(asked, facts.policies), approvals_needed(awake, facts.policies)
            except Exception:  # noqa: BLE001 - a policy that cannot be read lets nothing through at all
                continue
            assert need.approvals >= max(1, before.approvals)
            if workflow in RESTED:
                assert not is_met(need, eligible(asked, with_rest(facts, rest=True)), asked)


@settings(deadline=None)
@given(small.organizations())
def test_power_under_way_counts_like_power_held(facts):
    """fault rules-B: whoever a key or an offer waits for is never easier to reset or verify than who holds a right."""
    for person in facts.people:
        holds = any(held.right != Right.VIEW for held in person.grants)
        assert person.holds_power == (holds or person.awaits_power)
        assert replace(person, awaits_power=True).holds_power


@settings(deadline=None, max_examples=60)
@given(small.organizations())
def test_power_under_way_makes_nothing_stronger_than_it_is(facts):
    """P6: what is shown may only become more cautious about whom it takes to verify somebody."""
    plain = replace(facts, people=tuple(replace(one, awaits_power=False) for one in facts.people))
    for workflow in (Workflow.MANAGE_ACCESS, Workflow.MANAGE_POLICIES):
        found, before = strength(facts, Target(workflow)), strength(plain, Target(workflow))
        if before.people == 0:
            assert found.people == 0
        else:
            assert found.people == 0 or found.people >= before.people
