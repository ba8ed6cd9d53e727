"""What can leave below a threshold without what its rule asks for: the price of splitting a payment (DESIGN P7)."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from policies.rules.cells.audience import Field, bound, pieces
from policies.rules.cells.patterns import Patterns
from policies.rules.cells.points import Point, broadest, is_within, thresholds
from policies.rules.language import INFINITE, Demand, Rule, Scope, SumOf, Window


@dataclass(frozen=True, slots=True)
class Leak:
    """Less than `amount` in each `window` and `scope` leaves without what the rule in that place asks for.

    Without a window it is less in each single payment, and there may be any number of them.
    """

    rule: int
    amount: Decimal
    window: Window | None
    scope: tuple[Scope, ...]


@dataclass(frozen=True, slots=True)
class _Split(Point):
    """A payment of `amount`, split so that `kept`, and all that counts no more than it, comes to no more than that.

    All that counts anything else may have come to any amount; without `kept` every sum may.
    """

    kept: SumOf | None = None

    def total(self, asked: SumOf) -> Decimal:
        """What that sum may have come to."""
        return self.amount if self.kept is not None and is_within(asked, self.kept) else INFINITE


def leaks(rules: Sequence[Rule]) -> tuple[Leak, ...]:
    """For each rule and each threshold of it what leaves below; none where other rules ask for the same anyway."""
    patterns = Patterns(rules)
    fields = {each: Field(bound(rules, executes=each), patterns, executes=each) for each in (False, True)}
    return tuple(leak for place in range(len(rules)) for leak in _of_rule(place, rules, patterns, fields))


def _of_rule(place: int, rules: Sequence[Rule], patterns: Patterns, fields: dict[bool, Field]) -> Iterator[Leak]:
    rule = rules[place]
    steps = thresholds(rules)

    def is_asked(kept: SumOf | None, amount: Decimal) -> bool:
        """Whether all that the rule asks for is asked of a payment that is split like that, whoever it binds."""
        split = _Split(amount, (), Point.of(rule).age_hours, kept)
        return all(
            field.gap(piece, patterns.box(rule, executes=executes), split) is None
            for executes, field in fields.items()
            if rule.always or not executes
            for piece in pieces(Demand.of(rule))
        )

    for kept in _conditions(rule):
        if not is_asked(kept, Decimal()):
            amount = steps[bisect_left(steps, True, key=partial(is_asked, kept))]
            window, scope = (kept.window, kept.scope) if kept is not None else (None, ())
            yield Leak(place, amount, window, scope)


def _conditions(rule: Rule) -> Iterator[SumOf | None]:
    """What somebody can keep below what the rule names: each of its sums, and the single payment, as None."""
    least = broadest(rule)
    if least.amount is not None:
        yield None
    yield from (each.sum for each in least.sums)
