"""Small Organizations whose policies are sets of rules, and a search over everything that people could do in them.

The search knows nothing of `policies.rules.takeover`: it asks of each state what `approvals_needed` and `is_met` say.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations, product
from random import Random
from typing import Any

from policies.rules import WITHDRAW, Asked, Bot, Facts, Held, Initiator, Key, Person, Terms
from policies.rules.effective_quorum import Target
from policies.rules.language import (
    MEMBER,
    SERVICE_USER,
    Among,
    AtLeast,
    GroupApprovals,
    Rule,
    Scope,
    Situation,
    SumOf,
    Window,
    initiator_id,
)
from policies.workflows import Right, Workflow
from tests.policies.rules.test_effective_quorum import FACTORS, World, after
from tests.policies.small import ACCESS, ADDRESSES, POLICIES, WITHDRAWAL

GROUPS = {1: "Finance", 2: "Board", 3: "Desk"}
AMOUNTS = (Decimal(100), Decimal(1000), Decimal(5000))
SUMS = (SumOf(), SumOf((Scope.DESTINATION,), Window.WEEK), SumOf((Scope.INITIATOR,), Window.HOUR))
PLACES = ("cold", "desk", "new")
NAMES = ("Ana", "Ben", "Cleo", "Dan", "Eli")
# More than any rule here asks for.
NEWCOMERS = 6
SOME = (
    (),
    (Right.INITIATE,),
    (Right.INITIATE, Right.APPROVE),
    (Right.INITIATE, Right.APPROVE),
    (Right.APPROVE,),
    (Right.EXECUTE,),
    (Right.EXECUTE, Right.APPROVE),
)
STANDINGS: tuple[dict[str, Any], ...] = (
    *6 * ({},),
    {"is_active": False, "comes_back": True},
    {"is_active": False, "is_kept_out": True},
)


@dataclass(frozen=True)
class Ruled(World):
    """A world that also knows which addresses lead where: what the group added leads anywhere."""

    book: frozenset[str] = frozenset()
    adds: bool = False
    amount: Decimal = Decimal(0)
    account: str = "1"
    groups: frozenset[int] = frozenset()

    @property
    def rules(self) -> tuple[Rule, ...]:
        return next((terms.rule_set for terms in self.policies if terms.workflow == WITHDRAWAL), ())

    def ways(self, initiator: str) -> Iterator[Situation]:
        """Every withdrawal of that amount that can be asked for, once all that left before is past."""
        sums = {each: self.amount for rule in self.rules for each in rule.all_sums()}
        for asset, place in product(("BTC", "ETH", "other"), PLACES if self.adds else sorted(self.book)):
            yield Situation(self.amount, sums, asset, self.account, place, 1e9, initiator)

    def is_done(self, target: Target) -> bool:
        asking: list[tuple[Initiator, str]] = [
            (one, initiator_id(MEMBER, one.member_id)) for one in self.people if one.user_id in self.ours
        ]
        asking += [
            (bot.through(key.key_id), initiator_id(SERVICE_USER, bot.service_user_id))
            for bot in self.bots
            for key in bot.keys
            if key.is_live and key.custodians & self.ours and bot.may_withdraw
        ]
        return self.leads_elsewhere() or any(
            self.could(Asked(target.workflow, one, target.account_id, situation=way))
            for one, name in asking
            for way in self.ways(name)
        )

    def gained(self) -> "Ruled | None":
        """One thing that only ever helps: entering a group of Members, adding an address, inviting somebody."""
        locked = [terms for terms in self.policies if terms.is_locked]
        named = {each.group for terms in locked for rule in terms.rule_set for each in rule.groups}
        for person, group in product(self.people, sorted(self.groups)):
            if person.user_id in self.ours and group not in person.groups:
                asked = [
                    Asked(ACCESS, one, subject=person.user_id, protected=group in named)
                    for one in self.people
                    if one.user_id in self.ours
                ]
                if any(self.could(one) for one in asked):
                    entered = replace(person, groups=person.groups | {group})
                    return replace(self, people=tuple(entered if one is person else one for one in self.people))
        looks = any(
            rule.destinations is not None or rule.younger_hours is not None
            for terms in locked
            for rule in terms.rule_set
        )
        adding = (Asked(ADDRESSES, one, 1, protected=looks) for one in self.people if one.user_id in self.ours)
        if not self.adds and any(self.could(one) for one in adding):
            return replace(self, adds=True)
        made = sum(person.user_id > 100 for person in self.people)
        if made < NEWCOMERS and self.access(gives_power=False):
            new = Person(101 + made, 101 + made, f"Newcomer {made}", is_verified=False, factors=FACTORS)
            return replace(self, people=(*self.people, new), ours=self.ours | {new.user_id})
        return None


def reaches(world: Ruled, target: Target) -> bool:
    """Whether any sequence of changes leads there: each state is looked at once.

    Whatever changes neither a policy nor a bot gives the group people and rights and takes nothing from it, so that is
    done as soon as it can be; all else is tried in every order.
    """
    seen, waiting = set(), [world]
    while waiting:
        here = waiting.pop()
        while (more := here.gained() or _person_gained(here, target)) is not None:
            here = more
        state = (frozenset(here.people), frozenset(here.bots), frozenset(here.policies), here.ours, here.adds)
        if state not in seen:
            seen.add(state)
            if here.is_done(target):
                return True
            waiting.extend(_changed(here, target))
    return False


def _person_gained(here: Ruled, target: Target) -> Ruled | None:
    # Those come first.
    more = next(after(here, target), here)
    assert isinstance(more, Ruled)
    return more if (more.policies, more.bots) == (here.policies, here.bots) and more != here else None


def _changed(here: Ruled, target: Target) -> Iterator[Ruled]:
    """What is done to bots and policies; to give a workflow a policy that has none leads nowhere."""
    there = {terms.workflow for terms in here.policies}
    for more in after(here, target):
        assert isinstance(more, Ruled)
        if {terms.workflow for terms in more.policies} <= there and more != here:
            yield more


def begun(facts: Facts, amount: Decimal, book: frozenset[str]) -> Ruled:
    """The Organization as it is, once the clock has ended what it ends; nobody is of the group yet."""
    people = tuple(
        replace(person, is_resting=False, is_active=person.is_active or person.comes_back) for person in facts.people
    )
    return Ruled(people, tuple(facts.bots), facts.policies, frozenset(), book, False, amount, "1", frozenset(GROUPS))


def smallest(facts: Facts, amount: Decimal, book: frozenset[str]) -> int:
    """How many people it takes at least, by trying all groups of them; nought where nobody could."""
    world, target = begun(facts, amount, book), Target(WITHDRAWAL, 1)
    there = [person for person in world.people if person.is_active or person.is_kept_out]
    for size in range(1, len(there) + 1):
        for group in combinations(there, size):
            if reaches(replace(world, ours=frozenset(person.user_id for person in group)), target):
                return size
    return 0


def organization(random: Random) -> Facts:
    """Up to five people, three groups of them, two bots, and policies of up to four rules."""
    # One of two is run by people who ask and approve, with a policy for most things; few find a way round alone there.
    careful = random.random() < 0.5
    people = tuple(_person(random, number, careful) for number in range(1, random.randint(1, 5) + 1))
    bots = tuple(_bot(random, number) for number in range(1, random.choice((0, 0, 1, 1, 2)) + 1))
    policies = [_plain(random, workflow) for workflow in Workflow if random.random() < (0.9 if careful else 0.5)]
    policies = [terms for terms in policies if terms.workflow != WITHDRAWAL]
    rules = tuple(_rule(random) for _ in range(random.randint(1, 4)))
    policies.append(Terms(WITHDRAWAL.value, 1, True, 72, random.random() < 0.4, rules))
    return Facts("any", {1: "Main", 2: "Cold"}, people, bots, tuple(policies), groups=GROUPS)


def _person(random: Random, number: int, careful: bool) -> Person:
    rights = frozenset(
        Held(workflow, right) for workflow in Workflow for right in random.choice(SOME[: 5 if careful else None])
    )
    return Person(
        number,
        number,
        NAMES[number - 1],
        **random.choice(STANDINGS),
        is_verified=random.random() < 0.85,
        factors=FACTORS,
        grants=rights,
        groups=frozenset(group for group in GROUPS if random.random() < 0.4),
    )


def _bot(random: Random, number: int) -> Bot:
    key = Key(number, frozenset(random.sample(range(1, 6), random.randint(0, 2))))
    return Bot(number, f"bot-{number}", 1, random.random() < 0.7, frozenset({WITHDRAW}), (key,))


def _plain(random: Random, workflow: Workflow) -> Terms:
    """Of the other workflows: a number, or approvals of groups."""
    rules = () if random.random() < 0.5 else (Rule(**_asks(random), always=random.random() < 0.7),)
    return Terms(workflow.value, random.randint(1, 3), random.random() < 0.6, 72, random.random() < 0.35, rules)


def _asks(random: Random) -> dict[str, Any]:
    groups = tuple(
        GroupApprovals(group, random.choice((1, 1, 2)))
        for group in sorted(random.sample(sorted(GROUPS), random.choice((0, 0, 1, 1, 2))))
    )
    return {"approvals": random.randint(0 if groups else 1, 3), "groups": groups}


def _rule(random: Random) -> Rule:
    asks: dict[str, Any] = {"deny": True} if random.random() < 0.1 else _asks(random)
    if "deny" not in asks and random.random() < 0.15:
        asks["delay_hours"] = 24
    return Rule(**asks, **_conditions(random), always=random.random() < 0.75)


def _conditions(random: Random) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if random.random() < 0.5:
        found |= {"amount": random.choice(AMOUNTS), "with_day_sum": random.random() < 0.5}
    if random.random() < 0.3:
        found["sums"] = (AtLeast(random.choice(SUMS), random.choice(AMOUNTS)),)
    initiators = ("member:1", "member:2", "service_user:1")
    for name, values in (("assets", ("BTC", "ETH")), ("destinations", PLACES[:2]), ("initiators", initiators)):
        if random.random() < 0.25:
            some = tuple(sorted(random.sample(values, random.randint(1, len(values)))))
            found[name] = Among(some, outside=random.random() < 0.5)
    if random.random() < 0.15:
        found["accounts"] = Among((random.choice("12"),), outside=random.random() < 0.3)
    if random.random() < 0.15:
        found["younger_hours"] = 24
    if random.random() < 0.2:
        found["asked_by"] = random.choice(("member", "key"))
    return found


def large(random: Random) -> Facts:
    """200 people of whom some do everything and most little, 60 bots, ten groups, and a policy of ten tiers."""
    ask, approve, finish = Right.INITIATE, Right.APPROVE, Right.EXECUTE
    some: tuple[tuple[int, dict[Workflow, tuple[Right, ...]]], ...] = (
        (10, {}),
        (10, {WITHDRAWAL: (approve,), POLICIES: (approve,)}),
        (8, {WITHDRAWAL: (ask, approve), ADDRESSES: (ask, approve)}),
        (8, {WITHDRAWAL: (ask,), ADDRESSES: (ask,)}),
        (3, {ACCESS: (ask, approve), POLICIES: (approve,)}),
        (1, dict.fromkeys(Workflow, (finish, approve))),
    )
    jobs = [job for count, job in some for _ in range(count)]
    people = tuple(
        Person(
            number,
            number,
            f"Member {number}",
            is_verified=random.random() < 0.95,
            factors=FACTORS,
            grants=frozenset(
                Held(workflow, right) for workflow, rights in random.choice(jobs).items() for right in rights
            ),
            groups=frozenset(group for group in range(1, 11) if random.random() < 0.15),
        )
        for number in range(1, 201)
    )
    bots = tuple(
        Bot(
            number,
            f"bot-{number}",
            1,
            permissions=frozenset({WITHDRAW}),
            keys=(Key(number, frozenset(random.sample(range(1, 41), 2))),),
        )
        for number in range(1, 61)
    )
    tiers = (
        Rule(
            approvals=1 + place // 2,
            groups=tuple(
                GroupApprovals(group, random.randint(1, 2))
                for group in sorted(random.sample(range(1, 11), 1 + place // 4))
            ),
            amount=Decimal(1000 * place),
            with_day_sum=True,
            destinations=Among(("cold",), outside=True) if place % 3 == 0 else None,
        )
        for place in range(1, 11)
    )
    policies = (
        Terms(WITHDRAWAL.value, 1, True, 72, random.random() < 0.5, (Rule(approvals=1), *tiers)),
        Terms(ACCESS.value, 2, True, 72, False, (Rule(approvals=2, groups=(GroupApprovals(1, 1),)),)),
        Terms(POLICIES.value, 3, True, 72, random.random() < 0.5),
    )
    names = {group: f"Group {group}" for group in range(1, 11)}
    return Facts("any", {1: "Main"}, people, bots, policies, groups=names)
