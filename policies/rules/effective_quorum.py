"""Effective strength: the smallest group of Members that could, by any sequence of changes, carry out a request (P6).

A group is a set of Members who act together, suspended ones included; whoever they bring in is not counted.
`policies.rules.takeover_paths` says what a group can bring about.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from policies.rules.facts import Facts, Person
from policies.rules.quorum import Asked, approvals_needed, policy_of
from policies.rules.takeover_facts import ACCESS, ADDRESSES, MONEY, POLICIES, Ground, Target
from policies.rules.takeover_paths import Roads
from policies.workflows import Right
from portal.core.errors import Refused

__all__ = ["Strength", "Target", "strength"]


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


def strength(facts: Facts, target: Target) -> Strength:
    """The smallest group of Members that could carry out `target`, and how."""
    roads = Roads(facts, target)
    expected = _expected(facts, target)
    for group in _groups(roads):
        road = roads.of(group)
        if road is not None:
            return Strength(tuple(person.name for person in group), road, expected)
    return Strength((), (), expected)


def _expected(facts: Facts, target: Target) -> int:
    """How many people the rules name for it with nothing changed before; 1 where somebody may finish alone."""
    there = [person.back.awake for person in facts.people]
    asking = [person for person in there if person.may_initiate(target.workflow, target.account_id)]
    try:
        policy = policy_of(facts.policies, target.workflow)
        needs = [
            approvals_needed(
                Asked(target.workflow, person, target.account_id, protected=target.protected), facts.policies
            ).approvals
            for person in asking
        ]
    except Refused:
        return 1
    if policy is None and not target.protected:
        return 1
    return 1 + min(needs, default=policy.approvals if policy else 1)


def _groups(roads: Roads) -> Iterator[tuple[Person, ...]]:
    """Groups from small to large, leaving out each that another of its size can do everything for.

    Where one person can do all that another can, a group with the latter alone is no better than one with the former.
    """
    powers = {person.member_id: _powers(person, roads.ground) for person in roads.ground.people}
    order = sorted(roads.ground.people, key=lambda person: (-len(powers[person.member_id]), person.member_id))
    held = [powers[person.member_id] for person in order]
    above = _above(held)
    if roads.of(tuple(order)) is None:
        return
    for size in range(roads.fewest(), len(order) + 1):
        for places in _closed(above, size):
            yield tuple(order[place] for place in places)


def _above(held: Sequence[frozenset[object]]) -> list[frozenset[int]]:
    """For each place those without whom nobody takes it: the one before it with the same powers, who needs the others.

    The first with some powers needs everybody who holds all of them and more. Most people have the powers of many
    others: what is compared are the kinds there are.
    """
    places: dict[frozenset[object], list[int]] = {}
    for place, powers in enumerate(held):
        places.setdefault(powers, []).append(place)
    above: dict[int, frozenset[int]] = {}
    for powers, (first, *others) in places.items():
        above[first] = frozenset(place for other in places if other > powers for place in places[other])
        above |= {place: frozenset({before}) for before, place in pairwise((first, *others))}
    return [above[place] for place in range(len(held))]


def _powers(person: Person, ground: Ground) -> frozenset[object]:
    """All that counts of a person here. Being a custodian helps and hinders, so it compares only with itself."""
    # Letting somebody in, and verifying them, is easier where they hold no right yet (P4); whoever is ahead of it has
    # both.
    found: set[object] = set()
    for what, is_ahead in (("in", not person.is_kept_out), ("verified", person.is_verified)):
        ways = ((what, True), (what, False))
        found |= {what, *ways} if is_ahead else {(what, person.holds_power)}
    target = ground.target
    workflows = {ACCESS, POLICIES, target.workflow, *((MONEY, ADDRESSES) if target.workflow is MONEY else ())}
    for workflow in workflows:
        account_id = target.account_id if workflow.by_account else None
        rights = (Right.INITIATE, Right.APPROVE, Right.EXECUTE)
        found |= {(workflow, right) for right in rights if person.holds(workflow, right, account_id)}
    return frozenset(found | _about_keys(person, ground))


def _about_keys(person: Person, ground: Ground) -> set[object]:
    """Which keys they hold, and for which Accounts they could answer once keys send at once."""
    accounts = {bot.account_id for bot in ground.withdrawing}
    executes = {("answers", account_id) for account_id in accounts if person.holds(MONEY, Right.EXECUTE, account_id)}
    # As one thing: who holds other keys, more or fewer, is neither ahead nor behind.
    holds = frozenset(place for place, bot in enumerate(ground.keys) if person.user_id in bot.custodians)
    return {*executes, ("keys", holds)}


def _closed(above: Sequence[frozenset[int]], size: int) -> Iterator[tuple[int, ...]]:
    """All sets of `size` places that hold, with each place, those above it, and so those above these."""

    def grow(start: int, chosen: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if len(chosen) == size:
            yield chosen
            return
        there = frozenset(chosen)
        for place in range(start, len(above)):
            if above[place] <= there:
                yield from grow(place + 1, (*chosen, place))

    yield from grow(0, ())
