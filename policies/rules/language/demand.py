"""What is asked of a request: approvals by group, a delay, or that it is denied; compared point by point."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Final

from policies.rules.language.rule import Rule
from policies.rules.language.situation import Situation


@dataclass(frozen=True, slots=True)
class Demand:
    """`approvals` of all who may approve, and of each of `groups`, by primary key, so many; sorted, none of nought."""

    approvals: int = 0
    groups: tuple[tuple[int, int], ...] = ()
    is_denied: bool = False
    delay_hours: int = 0

    @classmethod
    def of(cls, rule: Rule) -> "Demand":
        """What `rule` asks where it matches."""
        asked = {each.group: each.count for each in rule.groups}
        return cls(rule.approvals, tuple(sorted(asked.items())), rule.deny, rule.delay_hours)

    def __or__(self, other: "Demand") -> "Demand":
        """The stricter of both in each point."""
        return Demand(
            max(self.approvals, other.approvals),
            _of_each(self.groups, other.groups) if self.groups or other.groups else (),
            self.is_denied or other.is_denied,
            max(self.delay_hours, other.delay_hours),
        )

    def __le__(self, other: "Demand") -> bool:
        """Whether `other` asks at least as much in each point."""
        theirs = dict(other.groups)
        return (
            self.approvals <= other.approvals
            and self.is_denied <= other.is_denied
            and self.delay_hours <= other.delay_hours
            and all(count <= theirs.get(group, 0) for group, count in self.groups)
        )

    @property
    def people(self) -> int:
        """How many different people have to agree at least."""
        return max(self.approvals, *(count for _, count in self.groups), 0)

    @property
    def by_group(self) -> Mapping[int | None, int]:
        """The approvals by group, those of all under None."""
        return {None: self.approvals, **dict(self.groups)}


NOTHING: Final = Demand()


def _of_each(mine: Iterable[tuple[int, int]], theirs: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The larger number of each group."""
    found = dict(mine)
    for group, count in theirs:
        found[group] = max(count, found.get(group, 0))
    return tuple(sorted(found.items()))


def demand(rules: Iterable[Rule], situation: Situation, *, executes: bool = False) -> Demand:
    """What the matching `rules` ask together; `executes`: of a Member who may finish alone, whom only some bind."""
    asked = (Demand.of(rule) for rule in rules if (rule.always or not executes) and situation.meets(rule))
    return reduce(Demand.__or__, asked, NOTHING)


def everything(rules: Iterable[Rule], *, executes: bool = False) -> Demand:
    """The most that `rules` could ask of anything at once, whatever they match; denied it is by none of them."""
    asked = (Demand.of(rule) for rule in rules if rule.always or not executes)
    most = reduce(Demand.__or__, asked, NOTHING)
    return Demand(most.approvals, most.groups, False, most.delay_hours)
