"""Whether rules leave nobody a request that runs at once (DESIGN P6)."""

from collections.abc import Sequence

from policies.rules.cells.audience import Field, bound
from policies.rules.cells.patterns import Patterns
from policies.rules.cells.points import Point
from policies.rules.language import NOTHING, Rule


def binds_everybody(rules: Sequence[Rule]) -> bool:
    """Whether all that anybody asks, with Execute too, takes an approval or is denied.

    So it is if it is of the least that can be asked, of whatever asset, to wherever: one rule without conditions that
    always binds, or several that together leave no case out.
    """
    patterns = Patterns(rules)
    binding = [rule for rule in bound(rules, executes=True) if rule.approvals or rule.groups or rule.deny]
    field = Field(binding, patterns, executes=True)
    return field.gap(NOTHING, patterns.whole(executes=True), Point()) is None
