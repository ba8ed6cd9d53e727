"""What a request takes, in words: how many approvals, of which groups, and how long it waits afterwards."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from policies.rules.language import Demand
from portal.core.display.phrases import counted, listed

LOST: Final = "a group that is gone"


def need_words(asked: Demand, groups: Mapping[int, str]) -> str:
    """`2 approvals of Finance and 1 of Board, then a delay of 24 hours`; `denied`; `no approval`."""
    if asked.is_denied:
        return "denied"
    approvals = _approvals(asked, groups)
    if not asked.delay_hours:
        return approvals or "no approval"
    delay = f"a delay of {counted(asked.delay_hours, 'hour')}"
    return f"{approvals}, then {delay}" if approvals else delay


def _approvals(asked: Demand, groups: Mapping[int, str]) -> str:
    of_groups = [(groups.get(group, LOST), count) for group, count in asked.groups]
    # Whoever approves for a group is one of all: only more than each group asks of it has to be said.
    if asked.approvals > max((count for _, count in of_groups), default=0):
        all_of_them = counted(asked.approvals, "approval")
        within = listed([f"{count} of {name}" for name, count in of_groups])
        return f"{all_of_them}, among them {within}" if within else all_of_them
    return listed(list(_each(of_groups)))


def _each(of_groups: Sequence[tuple[str, int]]) -> Iterator[str]:
    for place, (name, count) in enumerate(of_groups):
        yield f"{count} of {name}" if place else f"{counted(count, 'approval')} of {name}"
