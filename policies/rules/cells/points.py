"""The amounts of a case: the least of which a rule is reached, and what they mean for each sum."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from policies.rules.language import AtLeast, Rule, SumOf

# An address that is older than any rule asks for.
OLD: Final = float("inf")
ZERO: Final = Decimal()


def is_within(narrow: SumOf, wide: SumOf) -> bool:
    """Whether all that `narrow` counts is counted by `wide` too: a longer window, equal in no more."""
    return set(wide.scope) <= set(narrow.scope) and narrow.window.length <= wide.window.length


def broadest(rule: Rule) -> Rule:
    """Of the rules that `rule` stands for the one that matches wherever any does.

    A tier with its sum over 24 hours is that sum: it counts the payment itself.
    """
    return rule.spelled_out()[-1]


@dataclass(frozen=True, slots=True)
class Point:
    """The least that meets some conditions: the amount, what sums reach, and the oldest age of the destination."""

    amount: Decimal = ZERO
    floors: tuple[AtLeast, ...] = ()
    age_hours: float = OLD

    @classmethod
    def of(cls, rule: Rule) -> "Point":
        """The least case of `rule`. An age counts in whole hours: half an hour below the next is in the same cell."""
        least = broadest(rule)
        age = OLD if least.younger_hours is None else least.younger_hours - 0.5
        return cls(least.amount or ZERO, least.sums, age)

    def __or__(self, other: "Point") -> "Point":
        """The least that is as far as both."""
        floors = (*self.floors, *other.floors)
        return Point(max(self.amount, other.amount), floors, min(self.age_hours, other.age_hours))

    def total(self, asked: SumOf) -> Decimal:
        """The least that this sum is: it counts the payment, and all that narrower sums count."""
        return max(self.amount, *(each.amount for each in self.floors if is_within(each.sum, asked)), ZERO)

    def reaches(self, rule: Rule) -> bool:
        """Whether it is as far as `rule` asks for, whatever that says of lists."""
        least = broadest(rule)
        return (
            (least.amount is None or self.amount >= least.amount)
            and (least.younger_hours is None or self.age_hours < least.younger_hours)
            and all(self.total(each.sum) >= each.amount for each in least.sums)
        )


def thresholds(rules: Iterable[Rule]) -> tuple[Decimal, ...]:
    """All amounts at which any of `rules` begins to match, from small to large."""
    found: set[Decimal] = set()
    for rule in rules:
        found |= {each.amount for each in rule.sums} | ({rule.amount} if rule.amount is not None else set())
    return tuple(sorted(found))
