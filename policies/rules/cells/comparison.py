"""Where one set of rules asks for less than another, and where for more, whichever request is asked (DESIGN P7).

After is weaker than before exactly if, at the least case of some rule of before, it does not ask for what that rule
asks: anywhere else the rule matches, after asks at least for as much as there. Sums are taken to be bound by what
counts the same and more alone; so it may be called weaker for a case of sums that can never come, and never the other
way round.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policies.rules.cells.audience import Field, bound, case, pieces
from policies.rules.cells.patterns import Patterns, one_of
from policies.rules.cells.points import Point
from policies.rules.language import Demand, Rule


@dataclass(frozen=True, slots=True)
class CellChange:
    """One case in which what is asked differs: `condition` is the least for which it does, as a rule that asks nothing.

    `executes`: it is so for Members with Execute; if not, for everybody else.
    """

    condition: Rule
    executes: bool
    before: Demand
    after: Demand


@dataclass(frozen=True, slots=True)
class Comparison:
    """Where the later rules ask for less in some point, and where for more; of one case both can be so."""

    weaker: tuple[CellChange, ...]
    stricter: tuple[CellChange, ...]


def compare(before: Sequence[Rule], after: Sequence[Rule]) -> Comparison:
    """How `after` differs from `before`; no rules are no policy."""
    weaker = tuple(_losses(before, after))
    turned = _losses(after, before)
    stricter = tuple(CellChange(one.condition, one.executes, one.after, one.before) for one in turned)
    return Comparison(weaker, stricter)


def _losses(kept: Sequence[Rule], changed: Sequence[Rule]) -> Iterator[CellChange]:
    """Each case in which `changed` does not ask for what a rule of `kept` does: for each rule and thing at most one."""
    patterns = Patterns((*kept, *changed))
    for executes in (False, True):
        now = Field(bound(kept, executes=executes), patterns, executes=executes)
        then = Field(bound(changed, executes=executes), patterns, executes=executes)
        seen: set[CellChange] = set()
        for rule, asked, box in now.rules:
            point = Point.of(rule)
            for piece in pieces(asked):
                found = then.gap(piece, box, point)
                if found is None:
                    continue
                one = one_of(found)
                condition = case(rule, found, patterns, executes=executes)
                change = CellChange(condition, executes, now.asked(one, point), then.asked(one, point))
                if change not in seen:
                    seen.add(change)
                    yield change
