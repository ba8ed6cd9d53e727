"""What rules ask, in words."""

from collections.abc import Iterator

from policies.rule_words.names import Names
from policies.rules.language import Demand
from portal.core.display.phrases import counted, listed


def demand_words(demand: Demand, names: Names) -> str:
    """`2 approvals of Finance and 1 of Board, then a delay of 24 hours`; `denied`; `no approval`."""
    if demand.is_denied:
        return "denied"
    asked = _approvals(demand, names)
    if not demand.delay_hours:
        return asked or "no approval"
    delay = f"a delay of {counted(demand.delay_hours, 'hour')}"
    return f"{asked}, then {delay}" if asked else delay


def _approvals(demand: Demand, names: Names) -> str:
    of_groups = [(names.group(group), count) for group, count in demand.groups]
    # Whoever approves for a group is one of all: only more than each group asks of it has to be said.
    if demand.approvals > max((count for _, count in of_groups), default=0):
        all_of_them = counted(demand.approvals, "approval")
        within = listed([f"{count} of {name}" for name, count in of_groups])
        return f"{all_of_them}, among them {within}" if within else all_of_them
    return listed(list(_each(of_groups)))


def _each(of_groups: list[tuple[str, int]]) -> Iterator[str]:
    for place, (name, count) in enumerate(of_groups):
        yield f"{count} of {name}" if place else f"{counted(count, 'approval')} of {name}"
