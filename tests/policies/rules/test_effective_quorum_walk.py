"""The life of a small Organization: after each thing that happens, strength is what searching finds (DESIGN P6)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from policies.rules import WITHDRAW, Bot, Facts, Held, Key, Person, Terms
from policies.rules.effective_quorum import Target, strength
from policies.rules.what_if import with_policy
from policies.workflows import Right, Workflow
from tests.policies import small
from tests.policies.rules.test_effective_quorum import FACTORS, TARGETS, smallest

WHO = st.integers(1, 4)
RIGHTS = st.sampled_from([Right.INITIATE, Right.APPROVE, Right.EXECUTE])


class Life(RuleBasedStateMachine):
    """Four people, of whom each may come, go, be stopped and gain or lose rights, while policies come and go."""

    @initialize(wanted=TARGETS)
    def begin(self, wanted: Target) -> None:
        people = [Person(n, n, small.NAMES[n - 1], factors=FACTORS, is_verified=n < 4) for n in (1, 2, 3, 4)]
        people[0] = replace(people[0], grants=frozenset(Held(workflow, Right.EXECUTE) for workflow in Workflow))
        self.target = wanted
        self.facts = Facts("any", small.ACCOUNTS, tuple(people))

    def become(self, number: int, **how: Any) -> None:
        people = tuple(replace(one, **how) if one.user_id == number else one for one in self.facts.people)
        self.facts = replace(self.facts, people=people)

    def of(self, number: int) -> Person:
        return self.facts.people[number - 1]

    @rule(who=WHO)
    def suspend_until_the_clock_ends_it(self, who: int) -> None:
        before = strength(self.facts, self.target)
        if self.of(who).is_active:
            self.become(who, is_active=False, comes_back=True)
            after = strength(self.facts, self.target)
            assert (after.group, after.expected) == (before.group, before.expected), "a brake hides nothing"

    @rule(who=WHO)
    def keep_out(self, who: int) -> None:
        if self.of(who).is_active or self.of(who).comes_back:
            self.become(who, is_active=False, comes_back=False, is_kept_out=True)

    @rule(who=WHO)
    def come_back(self, who: int) -> None:
        if self.of(who).comes_back or self.of(who).is_kept_out:
            self.become(who, is_active=True, comes_back=False, is_kept_out=False)

    @rule(who=WHO)
    def remove(self, who: int) -> None:
        self.become(who, is_active=False, comes_back=False, is_kept_out=False, grants=frozenset())

    @rule(who=WHO)
    def join_or_lose_the_factors(self, who: int) -> None:
        if self.of(who).is_active:
            self.become(who, is_verified=not self.of(who).is_verified)
        elif not self.of(who).comes_back and not self.of(who).is_kept_out:
            self.become(who, is_active=True, is_verified=False)

    @rule(who=WHO, workflow=st.sampled_from(Workflow), right=RIGHTS)
    def give(self, who: int, workflow: Workflow, right: Right) -> None:
        self.become(who, grants=self.of(who).grants | {Held(workflow, right)})

    @rule(who=WHO, workflow=st.sampled_from(Workflow))
    def take(self, who: int, workflow: Workflow) -> None:
        self.become(who, grants=frozenset(one for one in self.of(who).grants if one.workflow != workflow))

    @rule(workflow=st.sampled_from(Workflow), approvals=st.integers(1, 3), always=st.booleans(), locked=st.booleans())
    def configure(self, workflow: Workflow, approvals: int, always: bool, locked: bool) -> None:
        self.facts = with_policy(self.facts, workflow, Terms(workflow.value, approvals, always, 72, locked))

    @rule(workflow=st.sampled_from(Workflow))
    def go_without(self, workflow: Workflow) -> None:
        self.facts = with_policy(self.facts, workflow, None)

    @rule(custodians=st.frozensets(WHO, max_size=2), account_id=st.sampled_from([1, 1, 2]))
    def make_a_key(self, custodians: frozenset[int], account_id: int) -> None:
        bot = Bot(1, "bot", account_id, permissions=frozenset({WITHDRAW}), keys=(Key(1, custodians),))
        self.facts = replace(self.facts, bots=(bot,))

    @rule()
    def revoke_the_key(self) -> None:
        self.facts = replace(self.facts, bots=())

    @invariant()
    def strength_is_what_searching_finds(self) -> None:
        if hasattr(self, "facts"):
            assert strength(self.facts, self.target).people == smallest(self.facts, self.target)


TestLife = pytest.mark.slow(Life.TestCase)
TestLife.settings = settings(deadline=None, max_examples=40, stateful_step_count=15)
