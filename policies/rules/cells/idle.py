"""Rules that could be left out without anything being asked for less (DESIGN P7)."""

from collections.abc import Sequence

from policies.rules.cells.audience import Field, bound, pieces
from policies.rules.cells.patterns import Patterns
from policies.rules.cells.points import Point
from policies.rules.language import Demand, Rule


def idle(rules: Sequence[Rule]) -> tuple[int, ...]:
    """The places of the rules that ask nothing which others do not ask already, of whomever they bind.

    All of them can be left out together: of rules that stand in for each other the later are idle, the earlier not.
    One always stays, because a policy without a rule is none.
    """
    patterns = Patterns(rules)
    kept = list(range(len(rules)))
    for place in reversed(range(len(rules))):
        others = [rules[other] for other in kept if other != place]
        if others and all(_asks_nothing(rules[place], others, patterns, executes=each) for each in (False, True)):
            kept.remove(place)
    return tuple(place for place in range(len(rules)) if place not in kept)


def _asks_nothing(rule: Rule, others: Sequence[Rule], patterns: Patterns, *, executes: bool) -> bool:
    """Whether `others` ask for all that `rule` does wherever it matches: they do if they do at its least case."""
    if executes and not rule.always:
        return True
    field = Field(bound(others, executes=executes), patterns, executes=executes)
    box, point = patterns.box(rule, executes=executes), Point.of(rule)
    return all(field.gap(piece, box, point) is None for piece in pieces(Demand.of(rule)))
