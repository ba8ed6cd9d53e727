"""Effective strength (P6) against exhaustive search: every sequence of changes that a group could bring about."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.rules import (
    PASSKEY,
    WITHDRAW,
    Asked,
    Bot,
    Facts,
    Held,
    Initiator,
    Key,
    Need,
    Person,
    Terms,
    approvals_needed,
    is_locked,
    is_met,
    lost_right,
    why_not,
)
from policies.rules.effective_quorum import Target, strength
from policies.rules.what_if import with_policy
from policies.workflows import Right, Workflow
from tests.policies import small
from tests.policies.small import ACCESS, ADDRESSES, POLICIES, WITHDRAWAL

FACTORS = frozenset({"totp", PASSKEY})
EVERYTHING = frozenset(Held(workflow, right) for workflow in Workflow for right in Right)
NEWCOMERS = 2


@dataclass(frozen=True)
class World:
    """An Organization, and whom the group controls in it by now."""

    people: tuple[Person, ...]
    bots: tuple[Bot, ...]
    policies: tuple[Terms, ...]
    ours: frozenset[int]

    def could(self, asked: Asked, *, approvers_ask: bool = False) -> bool:
        """Whether the group can carry out what is asked, once it picks who asks."""
        if lost_right(asked.initiator, asked.workflow, asked.account_id, WITHDRAW, approvers_ask=approvers_ask):
            return False
        approvers = [one for one in self.people if one.user_id in self.ours and why_not(one, asked, "any") is None]
        return is_met(self._needed(asked), approvers, asked)

    def _needed(self, asked: Asked) -> Need:
        """The search comes by the same question again and again, by whichever group."""
        return approvals_needed(asked, self.policies) if asked.situation else _needed(asked, self.policies)

    def asks(self) -> Iterator[Person]:
        yield from (person for person in self.people if person.user_id in self.ours)

    def access(
        self, *, subject: int | None = None, gives_power: bool = True, alone: bool = False, approvers_ask: bool = False
    ) -> bool:
        """Whether the group can carry through such a change of access."""
        protected = gives_power and is_locked(self.policies)
        return any(
            self.could(
                Asked(ACCESS, person, subject=subject, protected=protected, alone=alone),
                approvers_ask=alone or approvers_ask,
            )
            and not (alone and (person.user_id == subject or not person.holds(ACCESS, Right.APPROVE)))
            for person in self.asks()
        )

    def is_done(self, target: Target) -> bool:
        protected = target.protected and is_locked(self.policies)
        money = target.workflow is WITHDRAWAL
        asking: list[Initiator] = list(self.asks())
        if money:
            asking += [
                bot.through(key.key_id)
                for bot in self.bots
                for key in bot.keys
                if key.is_live and key.custodians & self.ours and bot.may_withdraw
            ]
        asked = any(self.could(Asked(target.workflow, one, target.account_id, protected=protected)) for one in asking)
        return asked or (money and self.leads_elsewhere())

    def leads_elsewhere(self) -> bool:
        """Whether a key sends at once, and the group can let the name that it sends to lead elsewhere (P2)."""
        free = any(
            bot.may_withdraw
            and bot.account_id == 1
            and not approvals_needed(Asked(WITHDRAWAL, bot, 1), self.policies).approvals
            for bot in self.bots
        )
        locked = is_locked(self.policies)
        return free and any(
            self.could(Asked(ADDRESSES, person, 1, protected=locked, least=1)) for person in self.asks()
        )


@lru_cache(maxsize=4096)
def _needed(asked: Asked, policies: tuple[Terms, ...]) -> Need:
    return approvals_needed(asked, policies)


def after(world: World, target: Target) -> Iterator[World]:
    """Every change that the group can carry through now.

    Left out is what another move does as well: rights given before an identity is verified, and taking over somebody
    who is not verified, who is no better than a newcomer.
    """
    for person in world.people:
        me = person.user_id
        if person.is_kept_out:
            if world.access(subject=me, gives_power=person.holds_power, approvers_ask=True):
                yield _with(world, replace(person, is_active=True, is_kept_out=False))
        elif me not in world.ours:
            if person.is_active and person.is_verified and world.access(subject=me, gives_power=person.holds_power):
                yield replace(world, ours=world.ours | {me})
        elif not person.is_verified:
            if world.access(subject=me, gives_power=person.holds_power, alone=True):
                yield _with(world, replace(person, is_verified=True))
        elif not person.grants >= EVERYTHING and world.access(subject=me):
            yield _with(world, replace(person, grants=person.grants | EVERYTHING))
    made = sum(person.user_id > 100 for person in world.people)
    if made < NEWCOMERS and world.access(gives_power=False):
        new = Person(101 + made, 101 + made, f"Newcomer {made}", is_verified=False, factors=FACTORS)
        yield replace(world, people=(*world.people, new), ours=world.ours | {new.user_id})
    yield from _keys(world, target)
    yield from _resumed(world)
    yield from _policies(world)


def _keys(world: World, target: Target) -> Iterator[World]:
    if target.workflow is not WITHDRAWAL:
        return
    for person in world.asks():
        number = 1000 + person.user_id
        asked = Asked(ACCESS, person, gives_withdraw=frozenset({1}), protected=is_locked(world.policies))
        if not any(bot.service_user_id == number for bot in world.bots) and world.could(asked):
            key = Key(number, frozenset({person.user_id}))
            bot = Bot(number, "new", 1, permissions=frozenset({WITHDRAW}), keys=(key,))
            yield replace(world, bots=(*world.bots, bot))


def _resumed(world: World) -> Iterator[World]:
    for bot in world.bots:
        works = replace(bot, is_active=True)
        gives = frozenset({bot.account_id} if works.may_withdraw else ())
        protected = bool(gives) and is_locked(world.policies)
        asked = [Asked(ACCESS, person, gives_withdraw=gives, protected=protected) for person in world.asks()]
        if not bot.is_active and any(world.could(one, approvers_ask=True) for one in asked):
            yield replace(world, bots=tuple(works if one == bot else one for one in world.bots))


def _policies(world: World) -> Iterator[World]:
    facts = Facts("any", policies=world.policies)
    for workflow in Workflow:
        protected = is_locked(world.policies, workflow)
        if any(world.could(Asked(POLICIES, person, protected=protected)) for person in world.asks()):
            terms = Terms(workflow.value, 1, always=False, open_hours=72)
            yield replace(world, policies=with_policy(facts, workflow, terms).policies)
        freed = [bot for bot in world.bots if bot.may_withdraw] if workflow is WITHDRAWAL else []
        asked = [
            Asked(
                POLICIES,
                person,
                protected=is_locked(world.policies) if freed else protected,
                frees=frozenset(bot.account_id for bot in freed),
                barred=frozenset().union(*(bot.custodians for bot in freed)),
            )
            for person in world.asks()
        ]
        if any(world.could(one) for one in asked):
            yield replace(world, policies=with_policy(facts, workflow, None).policies)


def _with(world: World, changed: Person) -> World:
    people = tuple(changed if person.user_id == changed.user_id else person for person in world.people)
    return replace(world, people=people)


def reaches(world: World, target: Target) -> bool:
    """Whether any sequence of changes leads there: each state is looked at once."""
    seen, waiting = set(), [world]
    while waiting:
        here = waiting.pop()
        state = (frozenset(here.people), frozenset(here.bots), frozenset(here.policies), here.ours)
        if state not in seen:
            seen.add(state)
            if here.is_done(target):
                return True
            waiting.extend(after(here, target))
    return False


def smallest(facts: Facts, target: Target) -> int:
    # The clock ends what it ends, before anything else is done.
    people = tuple(
        replace(person, is_resting=False, is_active=person.is_active or person.comes_back) for person in facts.people
    )
    there = [person for person in people if person.is_active or person.is_kept_out]
    for size in range(1, len(there) + 1):
        for group in combinations(there, size):
            ours = frozenset(person.user_id for person in group)
            if reaches(World(people, tuple(facts.bots), facts.policies, ours), target):
                return size
    return 0


SMALL = small.organizations(
    people=small.people(factors=st.just(FACTORS), rights=small.profiles()),
    bots=small.bots(most=1, keys=1),
    policies=small.policies(most=2),
)
TARGETS = st.sampled_from(
    [
        Target(WITHDRAWAL, 1),
        Target(WITHDRAWAL, 1),
        Target(ADDRESSES, 1),
        Target(ACCESS),
        Target(ACCESS, protected=True),
        Target(POLICIES),
        Target(POLICIES, protected=True),
    ]
)


@pytest.mark.slow
@settings(deadline=None, max_examples=200)
@given(SMALL, TARGETS)
def test_closing_over_what_a_group_can_do_finds_what_trying_everything_finds(facts, target):
    facts = replace(facts, level="any")
    assert strength(facts, target).people == smallest(facts, target)


def member(number, name, *rights, workflows=tuple(Workflow)) -> Person:
    grants = frozenset(Held(workflow, right) for workflow in workflows for right in rights)
    return Person(number, number, name, factors=FACTORS, grants=grants)


OLIVE = member(1, "Olive", *Right)
ANA = member(2, "Ana", Right.INITIATE)
BEN, CLEO, FAY = (member(3 + place, name, Right.APPROVE) for place, name in enumerate(("Ben", "Cleo", "Fay")))
CAST = (OLIVE, ANA, BEN, CLEO, FAY)
MONEY = Target(WITHDRAWAL, 1)


def house(*policies, people=CAST, bots=()) -> Facts:
    return Facts("any", small.ACCOUNTS, people, tuple(bots), policies)


def policy(workflow, approvals, *, always=True, locked=False) -> Terms:
    return Terms(workflow.value, approvals, always, 72, locked)


def test_one_person_with_everything_undoes_what_is_not_locked():
    found = strength(house(policy(WITHDRAWAL, 3)), MONEY)
    assert (found.group, found.expected, found.is_weak) == (("Olive",), 4, True)
    assert found.road == (
        "Olive asks to remove the policy of Initiate Withdrawal; nobody else has to agree.",
        "Olive asks for it; nobody else has to agree.",
    )


def test_a_lock_of_three_takes_four():
    """P4: whichever road they take."""
    facts = house(policy(WITHDRAWAL, 3, locked=True))
    for target in (MONEY, Target(POLICIES, protected=True), Target(ACCESS, protected=True)):
        found = strength(facts, target)
        assert (found.people, found.expected, found.is_weak) == (4, 4, False)
    assert strength(facts, MONEY).road == ("Ana asks for it; Olive, Ben and Cleo approve.",)


def test_a_lock_of_three_without_always_binds_all_but_who_executes():
    found = strength(house(policy(WITHDRAWAL, 3, always=False, locked=True)), MONEY)
    assert (found.group, found.expected, found.is_weak) == (("Olive",), 1, False)


def test_the_weakest_road_may_lead_through_a_neighbour():
    """Everything about money is governed by three, but one may give rights, and with them anything."""
    admin = member(9, "Ada", Right.EXECUTE, Right.APPROVE, workflows=(ACCESS,))
    facts = house(policy(WITHDRAWAL, 3), policy(POLICIES, 3), people=(*CAST[1:], admin))
    found = strength(facts, MONEY)
    assert found.group == ("Ada",)
    assert found.road == (
        "Ada verifies a newcomer, invited without any right; nobody else has to agree.",
        "Ada asks to give a newcomer every right; nobody else has to agree.",
        "Newcomers ask for it and approve it, as many as it takes; nobody else has to agree.",
    )


def test_who_holds_a_key_asks_through_it():
    key = Key(1, frozenset({BEN.user_id}))
    bot = Bot(1, "treasury-bot", 1, permissions=frozenset({WITHDRAW}), keys=(key,))
    free = strength(house(people=(BEN, CLEO), bots=[bot]), MONEY)
    assert (free.group, free.road) == (("Ben",), ("Ben asks for it through treasury-bot; nobody else has to agree.",))
    governed = strength(house(policy(WITHDRAWAL, 1), people=(BEN, CLEO), bots=[bot]), MONEY)
    assert governed.road == ("Ben asks for it through treasury-bot; Cleo approves.",)


def test_a_suspended_bot_stands_in_the_way_of_nobody_who_may_lift_that():
    """The page must not promise that nobody, or more people, could send money while two can wake the bot of one."""
    approver = member(1, "Ann", Right.APPROVE, workflows=(WITHDRAWAL, ACCESS))
    ann = replace(approver, grants=approver.grants | {Held(POLICIES, Right.EXECUTE)})
    cy = member(2, "Cy", Right.APPROVE, workflows=(ACCESS,))
    di = member(3, "Di", Right.APPROVE, workflows=(WITHDRAWAL,))
    key = Key(1, frozenset({cy.user_id}))
    bot = Bot(1, "treasury-bot", 1, is_active=False, permissions=frozenset({WITHDRAW}), keys=(key,))
    facts = house(policy(WITHDRAWAL, 2), people=(ann, cy, di), bots=[bot])
    found = strength(facts, MONEY)
    assert (found.people, found.expected, found.is_weak) == (2, 3, True)
    assert found.people == smallest(facts, MONEY)
    assert found.road == (
        "Ann asks to lift the suspension of treasury-bot; Cy approves.",
        "Ann asks to weaken the policy of Initiate Withdrawal to one approval; nobody else has to agree.",
        "Cy asks for it through treasury-bot; Ann approves.",
    )


def test_where_nobody_could_the_group_is_empty():
    found = strength(house(policy(WITHDRAWAL, 2), people=(ANA,)), MONEY)
    assert (found.group, found.road, found.is_weak) == ((), (), False)


def test_before_and_after_a_policy_change():
    before = house(policy(WITHDRAWAL, 3))
    after_lock = with_policy(before, WITHDRAWAL, policy(WITHDRAWAL, 3, locked=True))
    assert (strength(before, MONEY).people, strength(after_lock, MONEY).people) == (1, 4)


def test_it_takes_milliseconds_for_twenty_members():
    """A page asks for it once for each workflow and Account."""
    people = [OLIVE, ANA]
    for number in range(18):
        workflows = tuple(Workflow)[number % 4 :]
        people.append(member(10 + number, f"M{number}", *tuple(Right)[number % 3 :], workflows=workflows))
    bots = [
        Bot(n, f"bot-{n}", 1, permissions=frozenset({WITHDRAW}), keys=(Key(n, frozenset({1, 10 + n})),))
        for n in range(3)
    ]
    locked = [policy(workflow, 3, locked=True) for workflow in Workflow]
    facts = house(*locked, people=tuple(people), bots=bots)

    def taken() -> float:
        began = perf_counter()
        found = strength(facts, MONEY)
        ended = perf_counter()
        assert 0 < found.people <= 4
        return ended - began

    assert min(taken() for _ in range(5)) < 0.1
