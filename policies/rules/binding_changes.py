"""Changes that bind everybody else for good: they ask for as many approvals as they ask for afterwards (DESIGN P3).

Group by group: whoever has to agree afterwards has to agree now. A delay is not asked for in advance.
"""

from functools import reduce
from typing import Final

from policies.rules.cells.comparison import compare
from policies.rules.dead_ends import most_needed
from policies.rules.facts import NEVER, Facts, Initiator, Terms
from policies.rules.language import NOTHING, Demand
from policies.rules.quorum import policy_of
from policies.rules.spare_approvers import spare_people
from policies.rules.what_if import locked, with_policy
from policies.workflows import Workflow
from portal.core.errors import Refused

# Whoever stops one of these stops what would mend it.
BINDING: Final = (Workflow.MANAGE_ACCESS, Workflow.MANAGE_POLICIES)


def least_to_lock(facts: Facts, workflow: Workflow, initiator: Initiator) -> Demand:
    """What locking the policy of `workflow` asks of `initiator` at least: as many as undoing it would."""
    try:
        return _known(most_needed(Workflow.MANAGE_POLICIES, initiator, None, locked(facts, workflow)), facts)
    except Refused:
        # A policy that cannot be read stops this elsewhere, and is no reason to count.
        return NOTHING


def least_to_configure(facts: Facts, terms: Terms, initiator: Initiator) -> Demand:
    """What this policy asks of `initiator` at least: as many as its workflow would, if nobody is spare.

    So that nobody makes themselves the one without whom nothing more can be changed. Denying what was not denied, or
    letting it wait longer, takes one approval: it stops everybody, and nobody's approval helps.
    """
    after = with_policy(facts, Workflow(terms.workflow), terms)
    asked = (_asked_then(facts, after, workflow, terms, initiator) for workflow in BINDING)
    return reduce(Demand.__or__, asked, Demand(1) if _holds_up(facts, terms) else NOTHING)


def _asked_then(before: Facts, after: Facts, workflow: Workflow, terms: Terms, initiator: Initiator) -> Demand:
    asked = most_needed(workflow, initiator, None, after)
    if workflow != terms.workflow and asked <= most_needed(workflow, initiator, None, before):
        return NOTHING
    spare = spare_people(after, workflow)
    return _known(asked, after) if spare is not None and spare < 1 else NOTHING


def _holds_up(facts: Facts, terms: Terms) -> bool:
    """Whether it denies, or delays for longer, what the policy in force does not."""
    if not any(rule.deny or rule.delay_hours for rule in terms.rule_set):
        return False
    try:
        policy = policy_of(facts.policies, Workflow(terms.workflow))
    except Refused:
        return True
    more = compare(terms.rule_set, policy.rule_set if policy else ()).weaker
    return any(
        case.before.is_denied > case.after.is_denied or case.before.delay_hours > case.after.delay_hours
        for case in more
    )


def _known(asked: Demand, facts: Facts) -> Demand:
    """As many as that, without a delay. A group that is gone stops this elsewhere, as what cannot be read does."""
    groups = tuple((group, count) for group, count in asked.groups if group in facts.groups)
    return NOTHING if asked.approvals >= NEVER else Demand(asked.approvals, groups)
