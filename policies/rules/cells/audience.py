"""Whom rules bind: Members with Execute only those that always ask, everybody else all of them and one approval."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import reduce

from policies.rules.cells.patterns import Box, Patterns, hole, meet
from policies.rules.cells.points import Point
from policies.rules.language import NOTHING, Demand, Rule


def bound(rules: Sequence[Rule], *, executes: bool) -> tuple[Rule, ...]:
    """The rules that bind Members with Execute, or everybody else: of those a policy asks one approval at least (P2).

    No rules are no policy: then keys need nobody.
    """
    if executes:
        return tuple(rule for rule in rules if rule.always and rule.asked_by != "key")
    return (*rules, Rule(approvals=1, asked_by="" if rules else "member"))


def pieces(asked: Demand) -> Iterator[Demand]:
    """What is asked, one thing at a time."""
    if asked.approvals:
        yield Demand(asked.approvals)
    yield from (Demand(groups=(each,)) for each in asked.groups)
    if asked.is_denied:
        yield Demand(is_denied=True)
    if asked.delay_hours:
        yield Demand(delay_hours=asked.delay_hours)


class Field:
    """Rules that bind some people, ready to be asked what they ask of a case."""

    def __init__(self, rules: Iterable[Rule], patterns: Patterns, *, executes: bool) -> None:
        self._steps = patterns.steps
        self.rules = tuple((rule, Demand.of(rule), patterns.box(rule, executes=executes)) for rule in rules)

    def gap(self, piece: Demand, box: Box, point: Point) -> Box | None:
        """A part of `box` in which they do not ask for `piece` at `point`, or None where they do all over."""
        asking = [part for rule, asked, part in self.rules if piece <= asked and point.reaches(rule)]
        return hole(box, asking, self._steps)

    def asked(self, box: Box, point: Point) -> Demand:
        """All that they ask at `point` of what is in `box`, which is of one kind."""
        matching = (asked for rule, asked, part in self.rules if all(meet(box, part)) and point.reaches(rule))
        return reduce(Demand.__or__, matching, NOTHING)


def case(rule: Rule, box: Box, patterns: Patterns, *, executes: bool) -> Rule:
    """The condition of `rule`, with the lists that `box` says: its least case there."""
    return replace(rule.condition, **patterns.said(box, rule, executes=executes))
