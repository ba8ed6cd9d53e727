"""Small sets of rules, the same ones for the same seed."""

from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from policies.rules.language import Among, AtLeast, GroupApprovals, Rule, Scope, SumOf, Window

AMOUNTS = (Decimal(10), Decimal(20))
SUMS = (
    SumOf((), Window.DAY),
    SumOf((Scope.DESTINATION,), Window.DAY),
    SumOf((), Window.WEEK),
    SumOf((Scope.ASSET, Scope.DESTINATION), Window.HOUR),
    SumOf((Scope.ASSET,), Window.HOUR),
)
VALUES = {
    "assets": ("BTC", "ETH"),
    "accounts": ("1", "2"),
    "destinations": ("here", "there"),
    "initiators": ("member:1", "member:2", "service_user:5"),
}
# Of all that rules can look at, each world uses a few things, so that its grid stays small.
LOOKS = ("amount", "sums", "younger_hours", "asked_by", *VALUES)
GROUPS = (1, 2, 3)
# How many are tried of each: small Organizations with up to three groups and four rules.
ORGANIZATIONS = {
    "asked": 5_000,
    "compare": 4_000,
    "idle": 2_500,
    "leaks": 2_000,
    "dead ends": 4_500,
    "short": 1_500,
    "spare": 1_000,
}
CHUNKS = 10
# A test of each chunk; only the first is quick.
in_chunks = pytest.mark.parametrize(
    "number", [pytest.param(number, marks=[pytest.mark.slow] if number else []) for number in range(CHUNKS)]
)


def seeds(kind: str, chunk: int) -> Iterator[str]:
    """The seeds of one chunk of them."""
    yield from (f"{kind} {number}" for number in range(chunk, ORGANIZATIONS[kind], CHUNKS))


def some_rules(dice: Random, most: int = 4, looks: tuple[str, ...] = LOOKS, least: int = 0) -> tuple[Rule, ...]:
    """Up to `most` rules that look at the same few things."""
    used = dice.sample(looks, min(len(looks), dice.choice((1, 2, 2, 3))))
    return tuple(some_rule(dice, used) for _ in range(dice.randint(least, most)))


def both(dice: Random) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """Rules before and after: some stay, some change, some come."""
    used = tuple(dice.sample(LOOKS, dice.choice((1, 2, 2, 3))))
    before = tuple(some_rule(dice, used) for _ in range(dice.randint(0, 4)))
    kept = [rule for rule in before if dice.random() < 0.6]
    new = [some_rule(dice, used) for _ in range(dice.randint(0, 4 - len(kept)))]
    after = [*kept, *new]
    dice.shuffle(after)
    return before, tuple(after)


def some_rule(dice: Random, used: Any) -> Rule:
    fields: dict[str, Any] = {"always": dice.random() < 0.6}
    for look in used:
        if dice.random() < 0.6:
            fields |= _looking(dice, look)
    return Rule(**fields, **_asking(dice))


def _looking(dice: Random, look: str) -> dict[str, Any]:
    if look == "amount":
        return {"amount": dice.choice(AMOUNTS), "with_day_sum": dice.random() < 0.4}
    if look == "sums":
        sums = dice.sample(SUMS, dice.choice((1, 1, 1, 2)))
        return {"sums": tuple(sorted(AtLeast(each, dice.choice(AMOUNTS)) for each in sums))}
    if look == "younger_hours":
        return {look: dice.choice((6, 24))}
    if look == "asked_by":
        return {look: dice.choice(("member", "key"))}
    values = VALUES[look]
    some = tuple(sorted(dice.sample(values, dice.randint(1, len(values)))))
    return {look: Among(some, outside=dice.random() < 0.4)}


def _asking(dice: Random) -> dict[str, Any]:
    if dice.random() < 0.15:
        return {"deny": True}
    groups = tuple(GroupApprovals(group, dice.randint(1, 2)) for group in GROUPS if dice.random() < 0.25)
    return {
        "approvals": dice.randint(0 if groups else 1, 3),
        "groups": groups,
        "delay_hours": dice.choice((0, 0, 0, 12)),
    }
