"""What would have come of past withdrawals under one policy in place of another."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import localcontext
from enum import StrEnum
from typing import Final

from policies.measures import Past
from policies.replay.answers import Answers, Both, Outcome
from policies.replay.moments import moments
from policies.rules import Facts, Terms
from policies.rules.language import Demand

# Amounts are exact whatever is added to them and taken off again.
PRECISION: Final = 80
# Of each difference so many requests are kept to be looked at; all of them are counted.
KEPT: Final = 10_000


class Difference(StrEnum):
    """What can be otherwise for one request; several can be."""

    MORE = "more"
    FEWER = "fewer"
    DENIED = "denied"
    ALLOWED = "allowed"
    DELAYED = "delayed"
    SOONER = "sooner"
    STUCK = "stuck"
    FREED = "freed"


@dataclass(frozen=True, slots=True)
class Grown:
    """So many more approvals, of a group or, with None, of all."""

    group: int | None
    by: int


@dataclass(slots=True)
class Comparison:
    """`total` past withdrawals: how many there are of each difference, and which.

    `grown` tells of those that would have needed more how many of whom. `found` has for each difference the requests,
    oldest first, each with its place in `pairs`: what was asked of it, and what would have been.
    """

    total: int = 0
    counts: Counter[Difference] = field(default_factory=Counter)
    grown: Counter[Grown] = field(default_factory=Counter)
    pairs: list[Both] = field(default_factory=list)
    found: dict[Difference, list[tuple[int, int]]] = field(default_factory=dict)


def compare(
    past: Iterable[Past],
    facts: Facts,
    before: Terms | None,
    after: Terms | None,
    *,
    since: datetime,
    passed: Callable[[int], None] = lambda _: None,
) -> Comparison:
    """Hold every one of `past`, oldest first, against both policies, by today's people; count those asked from `since`.

    Those before count in the sums alone. `passed` is told after each how many were looked at.

    Raises: Refused if a policy cannot be read; whatever `passed` raises.
    """
    answers = Answers(facts, (before, after))
    tally = _Tally()
    then: dict[int, Both] = {}
    with localcontext(prec=PRECISION):
        for moment in moments(_counting(past, passed), answers.cells.sums):
            if moment.past.asked_at < since:
                continue
            asked = answers.demands(moment)
            if not moment.is_opening:
                first = then.pop(moment.past.change_id)
                asked = (first[0] | asked[0], first[1] | asked[1])
            if moment.is_last:
                tally.add(moment.past.change_id, answers.outcome(moment, asked[0]), answers.outcome(moment, asked[1]))
            else:
                then[moment.past.change_id] = asked
    return tally.result()


def _counting(past: Iterable[Past], passed: Callable[[int], None]) -> Iterator[Past]:
    for number, each in enumerate(past, start=1):
        yield each
        passed(number)


class _Tally:
    """Counts as they come, in whatever order; what comes of it is in that of the requests."""

    def __init__(self) -> None:
        self._result = Comparison()
        self._places: dict[Both, int] = {}
        self._said: dict[tuple[Outcome, Outcome], tuple[frozenset[Difference], tuple[Grown, ...]]] = {}

    def add(self, change_id: int, before: Outcome, after: Outcome) -> None:
        """Count one request."""
        both = (before, after)
        if both not in self._said:
            self._said[both] = (frozenset(differences(before, after)), tuple(growth(before.demand, after.demand)))
        said, grown = self._said[both]
        result = self._result
        result.total += 1
        result.counts.update(said)
        if Difference.MORE in said:
            result.grown.update(grown)
        if said:
            pair = (before.demand, after.demand)
            place = self._places.setdefault(pair, len(self._places))
            for each in said:
                result.found.setdefault(each, []).append((change_id, place))

    def result(self) -> Comparison:
        """What was counted."""
        self._result.pairs = list(self._places)
        self._result.found = {each: sorted(found)[:KEPT] for each, found in self._result.found.items()}
        return self._result


def differences(before: Outcome, after: Outcome) -> Iterator[Difference]:
    """What is otherwise; what is denied takes no approvals and no delay."""
    old, new = before.demand, after.demand
    if old.is_denied or new.is_denied:
        if old.is_denied is not new.is_denied:
            yield Difference.DENIED if new.is_denied else Difference.ALLOWED
    else:
        yield from _of_approvals(old, new)
        if old.delay_hours != new.delay_hours:
            yield Difference.DELAYED if new.delay_hours > old.delay_hours else Difference.SOONER
    if _is_stuck(before) is not _is_stuck(after):
        if _is_stuck(after):
            yield Difference.STUCK
        elif not new.is_denied:
            yield Difference.FREED


def growth(old: Demand, new: Demand) -> Iterator[Grown]:
    """Of whom more are asked, and how many."""
    mine: Mapping[int | None, int] = old.by_group
    for group, count in new.by_group.items():
        if count > mine.get(group, 0):
            yield Grown(group, count - mine.get(group, 0))


def _of_approvals(old: Demand, new: Demand) -> Iterator[Difference]:
    if any(growth(old, new)):
        yield Difference.MORE
    elif any(growth(new, old)):
        yield Difference.FEWER


def _is_stuck(outcome: Outcome) -> bool:
    return not outcome.demand.is_denied and not outcome.is_possible
