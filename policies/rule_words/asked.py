"""What rules ask, in words."""

from policies.rule_words.names import Names
from policies.rules.language import Demand
from policies.rules.need_words import need_words


def demand_words(demand: Demand, names: Names) -> str:
    """`2 approvals of Finance and 1 of Board, then a delay of 24 hours`; `denied`; `no approval`."""
    return need_words(demand, {group: names.group(group) for group, _ in demand.groups})
