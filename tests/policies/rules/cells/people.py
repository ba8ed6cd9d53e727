"""Small Organizations with rules on withdrawals, groups, bots and Accounts, plainly and as the product sees them."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random
from typing import Any

from policies.rules import WITHDRAW, Bot, Facts, Held, Key, Person, Terms
from policies.rules.language import Rule
from policies.workflows import Right, Workflow
from tests.policies.rules.cells import oracle
from tests.policies.rules.cells.worlds import GROUPS

MONEY = Workflow.INITIATE_WITHDRAWAL
NAMES = ("Ana", "Ben", "Cleo", "Dan", "Eve")
ACCOUNTS = {1: "Main", 2: "Cold"}
TEAMS = {1: "Finance", 2: "Board", 3: "Audit"}


@dataclass(frozen=True)
class Small:
    """Who may do what, by number; a bot by the custodians of each of its keys."""

    approving: frozenset[int] = frozenset()
    asking: frozenset[int] = frozenset()
    executing: frozenset[int] = frozenset()
    groups: dict[int, frozenset[int]] = field(default_factory=dict)
    keys: tuple[frozenset[int], ...] = ()
    rules: tuple[Rule, ...] = ()

    def facts(self) -> Facts:
        people = tuple(
            Person(
                number,
                number,
                name,
                factors=frozenset({"totp"}),
                grants=frozenset(Held(MONEY, right) for right, who in self._rights() if number in who),
                groups=frozenset(group for group, who in self.groups.items() if number in who),
            )
            for number, name in enumerate(NAMES, start=1)
        )
        keys = tuple(Key(place, custodians) for place, custodians in enumerate(self.keys))
        bots = (Bot(5, "bot", 1, permissions=frozenset({WITHDRAW}), keys=keys),) if keys else ()
        policies = (Terms(MONEY, 1, True, 72, rules=self.rules),) if self.rules else ()
        return Facts("any", ACCOUNTS, people, bots, policies, groups=TEAMS)

    def _rights(self):
        return ((Right.APPROVE, self.approving), (Right.INITIATE, self.asking), (Right.EXECUTE, self.executing))

    def askers(self, account: int) -> list[tuple[str, bool, frozenset[int]]]:
        """Who may ask, whether they hold Execute, and who never approves what they ask."""
        people = [
            (f"member:{number}", number in self.executing, frozenset({number}))
            for number in sorted(self.asking | self.executing)
        ]
        keys = [("service_user:5", False, custodians) for custodians in self.keys]
        return people + (keys if account == 1 else [])

    def able(self, group: int | None, barred: frozenset[int]) -> int:
        pool = self.approving if group is None else self.approving & self.groups.get(group, frozenset())
        return len(pool - barred)

    @cached_property
    def policy(self) -> oracle.Policy:
        return oracle.Policy(self.rules)

    def missing(self, request: oracle.Request) -> dict[tuple[str, int | None], int]:
        """How many are missing of what is asked of it, by who asks and group; of a bot, through its worst key."""
        found: dict[tuple[str, int | None], int] = {}
        for who, executes, barred in self.askers(int(request["account"])):
            asked = self.policy.asks(request | {"initiator": who}, executes=executes)
            if asked.get("deny"):
                continue
            for group in (None, *GROUPS):
                short = asked.get(group, 0) - self.able(group, barred)
                found[who, group] = max(found.get((who, group), 0), short)
        return found


def some(dice: Random) -> frozenset[int]:
    return frozenset(number for number in range(1, len(NAMES) + 1) if dice.random() < 0.5)


def some_people(dice: Random, rules: tuple[Rule, ...]) -> Small:
    keys = tuple(frozenset(dice.sample(range(1, 6), dice.randint(0, 2))) for _ in range(dice.choice((0, 0, 1, 1, 2))))
    executing = some(dice) if dice.random() < 0.5 else frozenset()
    groups = {group: some(dice) for group in GROUPS}
    return Small(some(dice) | some(dice), some(dice), executing, groups, keys, rules)


def changed(dice: Random, small: Small, rules: tuple[Rule, ...]) -> Small:
    """The same people with other rules; sometimes somebody besides gains or loses something."""
    what: Any = dice.choice(("approving", "asking", "executing", "groups", "keys", None, None, None))
    if what is None:
        return replace(small, rules=rules)
    if what == "groups":
        return replace(small, rules=rules, groups=small.groups | {dice.choice(GROUPS): some(dice)})
    if what == "keys":
        return replace(small, rules=rules, keys=small.keys[1:])
    return replace(small, rules=rules, **{what: getattr(small, what) ^ {dice.randint(1, 5)}})
