"""Effective strength: the smallest group of Members that could, by any sequence of changes, carry out a request (P6).

A group is a set of Members who act together, suspended ones included; whoever they bring in is not counted.
`policies.rules.takeover.roads` says what a group can bring about.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from policies.rules.facts import NEVER, Facts
from policies.rules.language import NOTHING, Demand
from policies.rules.quorum import Need, policy_of
from policies.rules.takeover.covers import fewest
from policies.rules.takeover.ground import Ground
from policies.rules.takeover.kinds import Kinds
from policies.rules.takeover.roads import Roads
from policies.rules.takeover.search import smallest
from policies.rules.takeover.targets import MONEY, POLICIES, Group, State, Target
from policies.rules.takeover.within import everything
from policies.workflows import Right
from portal.core.errors import Refused

__all__ = ["Strength", "Target", "Tier", "strength", "strength_by_amount"]

FIRST = State(frozenset())


@dataclass(frozen=True, slots=True)
class Strength:
    """`group` is the smallest that could, by name; empty if nobody could. `road` says how, step by step.

    `expected` is how many people the policy says it takes: who asks and who approves.
    """

    group: tuple[str, ...]
    road: tuple[str, ...]
    expected: int

    @property
    def people(self) -> int:
        """How many people it takes at least; nought where nobody could."""
        return len(self.group)

    @property
    def is_weak(self) -> bool:
        """Whether fewer could do it than the policy says."""
        return 0 < self.people < self.expected


@dataclass(frozen=True, slots=True)
class Tier:
    """What withdrawals from `amount` on take, fee included, up to the next tier.

    `demand` is the least that is asked of anybody who may ask for one as things are.
    """

    amount: Decimal
    strength: Strength
    demand: Demand


def strength(facts: Facts, target: Target) -> Strength:
    """The smallest group of Members that could carry out `target`, and how."""
    ground = Ground(facts, target)
    return _strength(ground, _expected(ground)[0])


def strength_by_amount(facts: Facts, account_id: int) -> tuple[Tier, ...]:
    """How strong the policy of withdrawals from one Account is, for each amount from which on something else holds.

    Whoever wants the money picks what asks the least at that amount: who asks, which asset, where to; they wait until a
    new address is old enough and other sums are past.

    Raises: Refused if the policy cannot be read.
    """
    policy = policy_of(facts.policies, MONEY)
    if policy is None or not policy.rules:
        plain = Ground(facts, Target(MONEY, account_id))
        expected, demand = _expected(plain)
        return (Tier(Decimal(0), _strength(plain, expected), demand),)
    rules = policy.rules
    amounts = {Decimal(0), *(each.amount for rule in rules for each in rule.sums)}
    amounts |= {rule.amount for rule in rules if rule.amount is not None}
    ground = Ground(facts, Target(MONEY, account_id, amount=Decimal(0)))
    found: list[Tier] = []
    asked: object = None
    for amount in sorted(amounts):
        here = ground.at(amount)
        before, asked = asked, here.asked_at_first()
        # Where nothing else is asked of anybody, the same people suffice.
        if asked != before:
            expected, demand = _expected(here)
            # More money never takes fewer people.
            found.append(Tier(amount, _strength(here, expected, found[-1].strength.people if found else 1), demand))
    return tuple(next(same) for _, same in groupby(found, key=lambda tier: (tier.strength, tier.demand)))


def _strength(ground: Ground, expected: int, at_least: int = 1) -> Strength:
    roads = Roads(ground)
    group = _smallest(roads, at_least)
    road = roads.of(group) if group is not None else None
    if group is None or road is None:
        return Strength((), (), expected)
    return Strength(tuple(person.name for person in group), road, expected)


def _smallest(roads: Roads, at_least: int) -> Group | None:
    """The smallest group: of a policy of one number the first of all that size, else whichever is found."""
    if roads.ground.groups or roads.ground.target.amount is not None:
        return smallest(roads, at_least)
    kinds = Kinds(roads.ground, everything(roads))
    if roads.of(kinds.order) is None:
        return None
    sizes = range(roads.fewest(), len(kinds.order) + 1)
    return next((group for size in sizes for group in kinds.groups(size) if roads.of(group) is not None), None)


def _expected(ground: Ground) -> tuple[int, Demand]:
    """How many people the rules name for it with nothing changed before, and what they ask of whom they ask the least.

    1 where somebody may finish alone. Groups of Members may overlap: it takes the fewest different people who are
    enough of each, out of those who may approve. Where there are not enough, as many as the largest number asks for.
    """
    target = ground.target
    try:
        policy = policy_of(ground.facts.policies, target.workflow)
    except Refused:
        return 1, NOTHING
    if policy is None and not target.protected:
        return 1, NOTHING
    each_once = {id(each): each for each in _asked(ground)}
    needs = list(dict.fromkeys(need for each in each_once.values() for need in each))
    if not needs:
        needs = [Need(policy.approvals if policy else 1)]
    if any(need.approvals >= NEVER for need in needs):
        return 1, NOTHING
    if all(need.is_denied for need in needs):
        # Only a change of the policy helps.
        change = Target(POLICIES, protected=ground.is_locked(FIRST, MONEY))
        return _expected(Ground(ground.facts, change))[0], Demand(is_denied=True)
    open_ones = [(_people(ground, need), need) for need in needs if not need.is_denied]
    people, need = min(open_ones, key=lambda each: (each[0], each[1].approvals, each[1].delay_hours))
    return 1 + people, need.demand


def _asked(ground: Ground) -> Iterator[tuple[Need, ...]]:
    """What is asked of each who may ask as things are; of a withdrawal of an amount, of keys as well."""
    target = ground.target
    executes, initiates = (ground.holding(target, right) for right in (Right.EXECUTE, Right.INITIATE))
    there = [person for person in ground.people if person.is_active and person.is_verified]
    asking = [person.user_id for person in there if person.user_id in initiates]
    needs = ground.needs_of([one for one in asking if one in executes], FIRST, target, "executes")
    needs |= ground.needs_of([one for one in asking if one not in executes], FIRST, target, "initiates")
    yield from (needs[one] for one in asking)
    for bot in ground.bots if target.amount is not None else ():
        if bot.is_active:
            yield ground.needs(FIRST, target, "bot", bot)


def _people(ground: Ground, need: Need) -> int:
    if not need.groups:
        return need.approvals
    approvers = ground.holding(ground.target, Right.APPROVE)
    counts = [(approvers & ground.members(FIRST, group), count) for group, count in need.groups]
    counts.append((approvers, need.approvals))
    found = fewest(counts, len(approvers))
    return len(found) if found is not None else max(count for _, count in counts)
