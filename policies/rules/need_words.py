"""What a request takes, in words: how many approvals, of which groups, and how long it waits afterwards."""

from collections.abc import Iterator, Mapping
from typing import Final

from policies.rules.language import Demand
from portal.core.display.phrases import counted, listed

LOST: Final = "a group that was removed"


def need_words(asked: Demand, groups: Mapping[int, str]) -> str:
    """`2 approvals, 1 of Board, then 24 hours`; `denied` where no approvals help, `nothing` where none are asked."""
    if asked.is_denied:
        return "denied"
    approvals = [counted(asked.approvals, "approval")] if asked.approvals or not asked.groups else []
    said = listed([*approvals, *of_groups(asked, groups)])
    return f"{said}, then {hours(asked.delay_hours)}" if asked.delay_hours else said


def of_groups(asked: Demand, groups: Mapping[int, str]) -> Iterator[str]:
    """What is asked of each group: `2 of Finance`."""
    yield from (f"{count} of {groups.get(group, LOST)}" for group, count in asked.groups)


def hours(number: int) -> str:
    """A delay: whole days from two on as days."""
    return counted(number // 24, "day") if number % 24 == 0 and number > 24 else counted(number, "hour")
