"""Counting: those who may decide, and are in a group, against how many of it could be asked.

A shortage is looked for at the least case of each rule. What is denied there is denied wherever the rule matches, and
what was short before is least there; only where it was denied before, and is not any more, begins a shortage higher:
where the rule and what denied it first meet.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeAlias

from policies.rules.cells.audience import case
from policies.rules.cells.patterns import Box, Patterns, hole, meet
from policies.rules.cells.points import OLD, Point
from policies.rules.dead_ends.asking import MostNeeded, askers, barred, initiators, pools
from policies.rules.dead_ends.shortage import ANYBODY, Shortage, Who
from policies.rules.facts import Facts
from policies.rules.language import ANYTHING, AtLeast, Rule
from policies.rules.need_words import LOST
from policies.workflows import Workflow

Pools: TypeAlias = Mapping[int | None, frozenset[int]]
NOBODY: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class _Before:
    """What somebody could ask before a change: what was asked of it then, and of each group the fewest who gave it."""

    rules: tuple[Rule, ...] = ()
    able: tuple[tuple[Pools, frozenset[int]], ...] = ()

    def enough(self, group: int | None, missing: int) -> int:
        """How many of `group` must not have been asked before, if `missing` are to be more than were missing then."""
        return missing + min((len(found.get(group, NOBODY) - without) for found, without in self.able), default=0)


NEW = _Before()


def shortages(facts: Facts) -> tuple[Shortage, ...]:
    """Every workflow, Account and possible initiator for which too few could approve, by cell and group."""
    return tuple(found for place in _places(facts) for found in _short(*place, facts, None))


def worse(before: Facts, after: Facts) -> tuple[Shortage, ...]:
    """What a change from `before` to `after` would be refused for; that nobody at all could ask any more counts too."""
    each = tuple(
        found
        for workflow, account_id, account in _places(after)
        for found in _short(workflow, account_id, account, after, before)
    )
    return each or grown(standstill(before), standstill(after))


def grown(before: tuple[Shortage, ...], after: tuple[Shortage, ...]) -> tuple[Shortage, ...]:
    """Those shortages that are new or larger afterwards; one that stays or shrinks is no reason to refuse."""
    missing = {shortage.place: shortage.missing for shortage in before}
    return tuple(shortage for shortage in after if shortage.missing > missing.get(shortage.place, 0))


def standstill(facts: Facts) -> tuple[Shortage, ...]:
    """What is missing where no initiator at all could get a change of access through: it would stay so for ever.

    Only there: whoever gets one through can give every other right again.
    """
    workflow = Workflow.MANAGE_ACCESS
    able = pools(workflow, None, facts)
    most = MostNeeded(workflow, None, facts)
    missing = []
    for one in initiators(workflow, None, facts):
        asked = most.of(one).by_group
        lacks = {group: count - len(able.get(group, NOBODY) - barred(one)) for group, count in asked.items()}
        missing.append(max((max(0, lacks[group]), count) for group, count in asked.items()))
    least, number = min(missing, default=(1, 1))
    if not least:
        return ()
    return (Shortage(workflow, None, "", ANYBODY, "anybody", number, least, nobody_asks=not missing),)


def _places(facts: Facts) -> Iterator[tuple[Workflow, int | None, str]]:
    for workflow in Workflow:
        if workflow.by_account:
            yield from ((workflow, account_id, account) for account_id, account in facts.accounts.items())
        else:
            yield (workflow, None, "")


def _before(workflow: Workflow, account_id: int | None, facts: Facts) -> dict[Who, _Before]:
    """What each who could ask was asked for; through several keys of a bot that is the same."""
    found: dict[Who, _Before] = {}
    if workflow.by_account and account_id not in facts.accounts:
        return found
    able = pools(workflow, account_id, facts)
    for asker in askers(workflow, account_id, facts):
        known = found.get(asker.who, NEW)
        found[asker.who] = _Before(asker.rules, (*known.able, (able, asker.barred)))
    return found


def _short(
    workflow: Workflow, account_id: int | None, account: str, facts: Facts, earlier: Facts | None
) -> Iterator[Shortage]:
    """What is short there, and was not, or less so, before."""
    able = pools(workflow, account_id, facts)

    @cache
    def before() -> dict[Who, _Before]:
        # Nearly always nothing is short, and this is not asked.
        return _before(workflow, account_id, earlier) if earlier is not None else {}

    worst: dict[tuple[Who, int | None, Rule], Shortage] = {}
    for asker in askers(workflow, account_id, facts):
        for rule in asker.rules:
            for group, count in _counts(rule):
                there = able.get(group, NOBODY)
                missing = count - len(there - asker.barred) if len(there) < count + len(asker.barred) else 0
                if missing < 1:
                    continue
                cell = _where(rule, group, missing, asker.rules, before().get(asker.who, NEW))
                if cell is None:
                    continue
                known = worst.get((asker.who, group, cell))
                if known is None or missing > known.missing:
                    worst[asker.who, group, cell] = Shortage(
                        workflow, account_id, account, asker.who, asker.name, count, missing,
                        group=group, group_name="" if group is None else facts.groups.get(group, LOST), cell=cell,
                    )  # fmt: skip
    yield from worst.values()


def _counts(rule: Rule) -> Iterator[tuple[int | None, int]]:
    if rule.approvals:
        yield None, rule.approvals
    yield from ((each.group, each.count) for each in rule.groups)


def _where(rule: Rule, group: int | None, missing: int, rules: tuple[Rule, ...], before: _Before) -> Rule | None:
    """The least case in which `missing` are missing of what `rule` asks of `group`, and fewer were before; or None."""
    if all(each.is_plain for each in (*rules, *before.rules)):
        return _of_everything(group, missing, rules, before)
    patterns = Patterns((*rules, *before.rules))
    enough = before.enough(group, missing)
    short_before = [each for each in before.rules if dict(_counts(each)).get(group, 0) >= enough]
    box, point = _box(rule, patterns), Point.of(rule)
    denying = [each for each in rules if each.deny]
    found = _free(box, point, (*denying, *short_before), patterns)
    if found is not None:
        return case(rule, found, patterns, executes=False)
    for denied in before.rules:
        if denied.deny:
            both = point | Point.of(denied)
            found = _free(meet(box, _box(denied, patterns)), both, denying, patterns)
            if found is not None:
                return _joined(case(rule, found, patterns, executes=False), both)
    return None


def _of_everything(group: int | None, missing: int, rules: tuple[Rule, ...], before: _Before) -> Rule | None:
    """The same where there is one cell only."""
    if any(each.deny for each in rules):
        return None
    asked = max((dict(_counts(each)).get(group, 0) for each in before.rules), default=0)
    is_new = any(each.deny for each in before.rules) or asked < before.enough(group, missing)
    return ANYTHING if is_new else None


def _free(box: Box, point: Point, others: tuple[Rule, ...] | list[Rule], patterns: Patterns) -> Box | None:
    """A part of `box` that none of `others` matches at `point`."""
    return hole(box, [_box(each, patterns) for each in others if point.reaches(each)], patterns.steps)


def _box(rule: Rule, patterns: Patterns) -> Box:
    return patterns.box(rule, executes=False)


def _joined(condition: Rule, point: Point) -> Rule:
    """The same lists from `point` on."""
    most = {each.sum: each.amount for each in sorted(point.floors, key=lambda each: each.amount)}
    return replace(
        condition,
        amount=point.amount or None,
        with_day_sum=False,
        sums=tuple(AtLeast(each, amount) for each, amount in sorted(most.items())),
        younger_hours=None if point.age_hours == OLD else int(point.age_hours + 0.5),
    )
