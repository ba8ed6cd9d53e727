"""As many rules, with as long lists, as there can be."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from policies.rules.cells.comparison import compare
from policies.rules.cells.idle import idle
from policies.rules.cells.leaks import leaks
from policies.rules.cells.patterns import Patterns, Steps, hole
from policies.rules.language import MAX_LISTED, MAX_RULES, Among, Rule

LISTS = ("assets", "accounts", "destinations", "initiators")
VALUES = {name: [f"{name}:{number:04}" for number in range(MAX_LISTED + 200)] for name in LISTS}


def listing(dice: Random, name: str, *, outside: bool) -> Among:
    return Among(tuple(sorted(dice.sample(VALUES[name], 200 if outside else MAX_LISTED))), outside)


def many(seed: int, *, outside: bool) -> tuple[Rule, ...]:
    dice = Random(seed)
    found = []
    for _ in range(MAX_RULES):
        lists: dict[str, Any] = {name: listing(dice, name, outside=outside) for name in LISTS}
        amount = Decimal(100 * dice.randint(1, 50))
        found.append(Rule(dice.randint(1, 5), amount=amount, with_day_sum=dice.random() < 0.5, **lists))
    return tuple(found)


@pytest.mark.slow
@pytest.mark.parametrize("outside", [False, True])
def test_as_many_as_there_can_be_are_compared(outside):
    before, after = many(1, outside=outside), many(2, outside=outside)
    assert not compare(before, tuple(reversed(before))).weaker
    assert compare(before, after).weaker
    assert idle((*before[:10], *before[:10])) == tuple(range(10, 20))
    assert {leak.rule for leak in leaks(before)} <= set(range(MAX_RULES))


def test_a_thousand_values_on_the_same_lists_are_one():
    rules = [Rule(approvals=1, destinations=Among(tuple(VALUES["destinations"][:MAX_LISTED])))] * MAX_RULES
    patterns = Patterns(rules)
    assert patterns.whole(executes=False) == (1, 1, 3, 3), "one on the lists and one on none; members and keys"


def pieces_of(boxes: Sequence[tuple[int, ...]], left: Steps) -> object:
    return hole((0b11, 0b11), boxes, left)


def test_what_cannot_be_told_in_time_is_taken_for_less():
    covering = [(0b01, 0b11), (0b10, 0b11)]
    assert pieces_of(covering, Steps()) is None
    assert pieces_of(covering, Steps(0)) == (0b11, 0b11)
    assert pieces_of([(0b11, 0b11)], Steps(0)) is None, "what one of them covers needs no step"
