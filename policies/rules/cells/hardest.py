"""The hardest cases that are not denied: those than which no other asks for more (DESIGN P6).

What is asked only grows, up to where it is denied. So for each kind of asset and destination the hardest case is as far
as can be gone without meeting one of the conditions of each rule that denies.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import reduce
from itertools import product
from typing import Final, TypeAlias

from policies.rules.cells.patterns import LISTS, Patterns
from policies.rules.cells.points import broadest, is_within
from policies.rules.language import INFINITE, NOTHING, AtLeast, Demand, Rule, SumOf, everything

# Kinds of requests, and ways not to be denied, beyond which they are not looked at one by one.
MOST_KINDS: Final = 2000
MOST_WAYS: Final = 64
# For each kind of people what is asked of them; None where they are denied.
Asked: TypeAlias = tuple[Demand | None, ...]


@dataclass(frozen=True, slots=True)
class _Ceiling:
    """As far as can be gone: less than `amount`, less than each of `sums`, of an age of `age_hours` at least."""

    amount: Decimal = INFINITE
    sums: tuple[AtLeast, ...] = ()
    age_hours: int = 0

    def total(self, asked: SumOf) -> Decimal:
        """Less than this is each sum, since what it counts is counted by others that are kept below."""
        return min((each.amount for each in self.sums if is_within(asked, each.sum)), default=INFINITE)

    def lets(self, rule: Rule) -> bool:
        """Whether `rule` matches as far as can be gone."""
        least = broadest(rule)
        highest = min([self.amount, *(each.amount for each in self.sums)])
        return (
            (least.amount is None or least.amount < highest)
            and (least.younger_hours is None or least.younger_hours > self.age_hours)
            and all(each.amount < self.total(each.sum) for each in least.sums)
        )

    def past(self, denied: Rule) -> Iterator["_Ceiling"]:
        """The ways not to meet what `denied` names, and to meet it after all: some may not be bound by it."""
        least = broadest(denied)
        yield self
        if least.amount is not None:
            yield replace(self, amount=min(self.amount, least.amount))
        yield from (replace(self, sums=(*self.sums, each)) for each in least.sums)
        if least.younger_hours is not None:
            yield replace(self, age_hours=max(self.age_hours, least.younger_hours))


def hardest(kinds: Sequence[Sequence[Rule]]) -> Iterator[Asked]:
    """What is asked of each of `kinds`, by the rules that concern it, in cases that together are the hardest there are.

    Where lists or rules that deny are too many, more is said to be asked than ever is at once.
    """
    every = [(place, rule) for place, rules in enumerate(kinds) for rule in rules]
    patterns = _patterns([rule for _, rule in every])
    seen: set[Asked] = set()
    for listed in patterns or ():
        matching = [each for at, each in enumerate(every) if listed >> at & 1]
        denying = list(dict.fromkeys(rule.condition for _, rule in matching if rule.deny))
        ceilings = _ceilings(denying)
        if ceilings is None:
            patterns = None
            break
        for ceiling in ceilings:
            asked = _asked(len(kinds), [each for each in matching if ceiling.lets(each[1])])
            if asked not in seen and any(each is not None for each in asked):
                seen.add(asked)
                yield asked
    if patterns is None:
        for place, rules in enumerate(kinds):
            yield tuple(everything(rules) if other == place else None for other in range(len(kinds)))


def _asked(number: int, matching: Sequence[tuple[int, Rule]]) -> Asked:
    joined = [
        reduce(Demand.__or__, (Demand.of(rule) for place, rule in matching if place == kind), NOTHING)
        for kind in range(number)
    ]
    return tuple(None if each.is_denied else each for each in joined)


def _ceilings(denying: Sequence[Rule]) -> set[_Ceiling] | None:
    """All ways past `denying`, or None if there are too many."""
    found = {_Ceiling()}
    for denied in denying:
        found = {way for ceiling in found for way in ceiling.past(denied)}
        if len(found) > MOST_WAYS:
            return None
    return found


def _patterns(rules: Sequence[Rule]) -> set[int] | None:
    """Which of `rules` match as far as lists go, as bits, for each kind of request; None if there are too many."""
    patterns = Patterns(rules)
    boxes = [patterns.box(rule, executes=False) for rule in rules]
    whole = patterns.whole(executes=False)
    found = {-1}
    for at in range(len(LISTS)):
        kinds = {
            sum(1 << place for place, box in enumerate(boxes) if box[at] >> bit & 1)
            for bit in range(whole[at].bit_length())
        }
        if len(found) * len(kinds) > MOST_KINDS:
            return None
        found = {one & other for one, other in product(found, kinds)}
    return found
