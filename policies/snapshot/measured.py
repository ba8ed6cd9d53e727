"""What rules have to know of withdrawals, asked only where a rule looks at it (DESIGN P7)."""

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

from policies import payload, registry
from policies.measures import Foreseen, measures
from policies.registry import Operation
from policies.rules import Facts
from policies.rules.language import Situation, SumOf
from policies.workflows import Workflow
from portal.core.database.one_reading import keep, once

if TYPE_CHECKING:
    from accounts.models import Organization
    from policies.models import ChangeRequest

P = TypeVar("P")


def situation_of(operation: Operation[P], change: "ChangeRequest", facts: Facts, params: P | None) -> Situation | None:
    """What the rules of its workflow have to know of a request that is measured; None where they look at nothing."""
    if not operation.measured or params is None or not change.is_open:
        return None
    workflow = Workflow(change.workflow)
    sums = sums_of_rules(facts, workflow)
    if sums is None:
        return None
    if not change.pk:
        return measures().situation(change, params, sums)

    def told() -> Situation:
        # One that has its row is told as in a list, which takes less.
        asked, with_ages = [(change, params)], _by_age(facts, workflow)
        return measures().situations(change.organization, asked, sums, with_ages=with_ages)[change.pk]

    return once(("situation", change.reference), told)


def measure_ahead(changes: Iterable["ChangeRequest"], facts: Facts) -> None:
    """Have a page ask once what rules have to know of all the requests that it shows."""
    asked: dict[Workflow, list[tuple[ChangeRequest, object]]] = defaultdict(list)
    for change in changes:
        try:
            operation = registry.get(change.operation)
            if operation.measured and change.is_open:
                asked[Workflow(change.workflow)].append((change, payload.decode(operation.params, change.params)))
        except (registry.Unregistered, payload.Unreadable):
            continue
    for workflow, measured in asked.items():
        sums = sums_of_rules(facts, workflow)
        if sums is None:
            continue
        found = measures().situations(measured[0][0].organization, measured, sums, with_ages=_by_age(facts, workflow))
        for change, _ in measured:
            if change.pk in found:
                keep(("situation", change.reference), found[change.pk])


def foreseen(organization: "Organization", what: Foreseen, facts: Facts) -> Situation | None:
    """The same of a withdrawal that nobody has asked for yet."""
    sums = sums_of_rules(facts, Workflow.INITIATE_WITHDRAWAL)
    return None if sums is None else measures().foreseen(organization, what, sums)


def sums_of_rules(facts: Facts, workflow: Workflow) -> frozenset[SumOf] | None:
    """The sums that the rules of `workflow` count; None where they look at nothing."""
    policies = [terms for terms in facts.policies if terms.workflow == workflow]
    rules = [rule for terms in policies for rule in terms.rules or ()]
    if all(rule.is_plain for rule in rules):
        return None
    return frozenset().union(*(rule.all_sums() for rule in rules))


def _by_age(facts: Facts, workflow: Workflow) -> bool:
    """Whether any rule looks at how long a destination has been known."""
    policies = [terms for terms in facts.policies if terms.workflow == workflow]
    return any(rule.younger_hours is not None for terms in policies for rule in terms.rules or ())
