"""Delay: it adds nothing to strength. What it does to a request is told where requests are moved.

`tests/policies/changes/under_rules/test_delays.py` has the other sentences, each by its name.
"""

from dataclasses import replace

from policies.rules.effective_quorum import strength_by_amount
from policies.rules.language import Rule
from policies.rules.quorum import Asked, approvals_needed
from tests.policies.rules.test_effective_quorum import house
from tests.policies.rules.test_strength_by_amount import ANA, FINANCE, FINS, of, ruled
from tests.policies.small import WITHDRAWAL

RULE = Rule(groups=of((FINANCE, 2)))


def test_a_delay_adds_nothing_to_strength():
    without = strength_by_amount(house(ruled(RULE), people=(ANA, *FINS)), 1)
    delayed = strength_by_amount(house(ruled(replace(RULE, delay_hours=72)), people=(ANA, *FINS)), 1)
    assert [tier.strength for tier in delayed] == [tier.strength for tier in without]
    assert [tier.demand.delay_hours for tier in delayed] == [72]


def test_after_the_last_approval_it_is_asked_of_all_whom_its_rule_binds():
    facts = house(ruled(replace(RULE, delay_hours=72)), people=(ANA, *FINS))
    need = approvals_needed(Asked(WITHDRAWAL, ANA, 1), facts.policies)
    assert (need.delay_hours, need.groups, need.at_once) == (72, ((FINANCE, 2),), False)
