"""Changes that bind everybody else for good: they ask for as many approvals as they ask for afterwards (DESIGN P3)."""

from typing import Final

from policies.rules.dead_ends import needed
from policies.rules.facts import NEVER, Facts, Initiator, Terms
from policies.rules.spare_approvers import spare_people
from policies.rules.what_if import locked, with_policy
from policies.workflows import Workflow
from portal.core.errors import Refused

# Whoever stops one of these stops what would mend it.
BINDING: Final = (Workflow.MANAGE_ACCESS, Workflow.MANAGE_POLICIES)


def least_to_lock(facts: Facts, workflow: Workflow, initiator: Initiator) -> int:
    """How many approvals locking the policy of `workflow` asks of `initiator` at least: as many as undoing it would."""
    try:
        return _known(needed(Workflow.MANAGE_POLICIES, initiator, None, locked(facts, workflow)))
    except Refused:
        # A policy that cannot be read stops this elsewhere, and is no reason to count.
        return 0


def least_to_configure(facts: Facts, terms: Terms, initiator: Initiator) -> int:
    """How many approvals this policy asks of `initiator` at least: as many as its workflow would, if nobody is spare.

    So that nobody makes themselves the one without whom nothing more can be changed.
    """
    after = with_policy(facts, Workflow(terms.workflow), terms)
    return max((_asked_then(facts, after, workflow, terms, initiator) for workflow in BINDING), default=0)


def _asked_then(before: Facts, after: Facts, workflow: Workflow, terms: Terms, initiator: Initiator) -> int:
    number = needed(workflow, initiator, None, after)
    if workflow != terms.workflow and number <= needed(workflow, initiator, None, before):
        return 0
    spare = spare_people(after, workflow)
    return _known(number) if spare is not None and spare < 1 else 0


def _known(number: int) -> int:
    return 0 if number >= NEVER else number
