"""What a request takes, and whether it has it, against brute force; and that no order, rule or amount makes it less."""

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any, Final

from policies.rules import Asked, Facts, Initiator, approvals_needed, is_met
from policies.rules.language import AtLeast, Rule, Situation, SumOf, demand
from tests.policies.rules.cells import oracle, people, worlds
from tests.policies.rules.cells.test_brute_force import as_asked

LOOKED_AT: Final = 6


def initiator(facts: Facts, who: str) -> Initiator:
    if who == "service_user:5":
        return facts.bots[0].through(0)
    return next(person for person in facts.people if who == f"member:{person.member_id}")


def some_requests(dice: Random, small: people.Small):
    """A few requests, each by somebody who may ask for it where it is asked."""
    found = []
    for request in dice.sample(grid := oracle.grid(small.rules), min(len(grid), LOOKED_AT)):
        account = dice.choice(sorted(people.ACCOUNTS))
        asking = small.askers(account)
        if asking:
            who, executes, barred = dice.choice(asking)
            found.append((request | {"account": str(account), "initiator": who}, executes, barred))
    return found


def is_satisfied(asked: oracle.Asked, agreed: frozenset[int], small: people.Small) -> bool:
    return not asked.get("deny") and all(
        len(agreed & (small.groups[group] if group is not None else agreed)) >= asked.get(group, 0)
        for group in (None, *worlds.GROUPS)
    )


@worlds.in_chunks
def test_what_is_asked_and_whether_it_is_met_is_what_trying_finds(number):
    for seed in worlds.seeds("asked", number):
        dice = Random(seed)
        small = people.some_people(dice, worlds.some_rules(dice))
        facts = small.facts()
        for request, executes, barred in some_requests(dice, small):
            asked = Asked(
                people.MONEY,
                initiator(facts, request["initiator"]),
                int(request["account"]),
                situation=oracle.situation(request),
            )
            need = approvals_needed(asked, facts.policies)
            tried = small.policy.asks(request, executes=executes)
            assert as_asked(need.demand) == tried, seed
            agreed = frozenset(dice.sample(sorted(small.approving), dice.randint(0, len(small.approving)))) - barred
            approvers = [person for person in facts.people if person.user_id in agreed]
            assert is_met(need, approvers, asked) == is_satisfied(tried, agreed, small), seed
            check_it_only_grows(dice, small.rules, request, executes)


def check_it_only_grows(dice: Random, rules: Any, request: oracle.Request, executes: bool) -> None:
    """In no order is another thing asked; with fewer rules, less money or an older address no more."""
    here = oracle.situation(request)
    asked = demand(rules, here, executes=executes)
    assert demand(dice.sample(rules, len(rules)), here, executes=executes) == asked
    assert demand(rules[1:], here, executes=executes) <= asked
    share = dice.choice((0, 1, 10))
    less = replace(
        here,
        value=min(here.value, here.value * share),
        sums={each: min(total, total * share) for each, total in here.sums.items()},
        age_hours=here.age_hours + dice.choice((0, 7, 99)),
    )
    assert demand(rules, less, executes=executes) <= asked


def test_a_sum_that_nobody_looked_up_is_as_large_as_can_be():
    rule = Rule(approvals=1, sums=(AtLeast(SumOf(), Decimal(10)),))
    assert Situation(value=Decimal(1)).meets(rule)
    assert not Situation(value=Decimal(1), sums={SumOf(): Decimal(9)}).meets(rule)


def test_they_are_as_many_as_were_promised():
    assert sum(worlds.ORGANIZATIONS.values()) >= 20_000
