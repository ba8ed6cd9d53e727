"""How many people could be lost before a workflow stops (DESIGN P6)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from policies.rules.cells.hardest import hardest
from policies.rules.dead_ends import Asker, askers, pools
from policies.rules.facts import Facts
from policies.rules.language import MEMBER, Demand
from policies.workflows import Workflow

Pools: TypeAlias = Mapping[int | None, frozenset[int]]
NOBODY: frozenset[int] = frozenset()


def spare_people(facts: Facts, workflow: Workflow, account_id: int | None = None) -> int | None:
    """The largest number of people whose loss, whoever they are, still lets somebody carry a request through.

    -1 if it has stopped already; None if it goes on without people, as keys do that withdraw at once. Asked of the
    hardest kind of request that is not denied, as dead ends are. With several bots whose keys have different
    custodians, several groups, or different numbers for different people it may say fewer, never one more.
    """
    able = pools(workflow, account_id, facts)
    everybody = askers(workflow, account_id, facts)
    found = [_Case(asking, able).spare() for asking in _hardest(everybody)]
    counted = [spare for spare in found if spare is not None]
    return None if found and not counted else min(counted, default=-1)


def _hardest(everybody: Sequence[Asker]) -> Iterator[tuple[tuple[Asker, Demand], ...]]:
    """The hardest cases, each with those who are not denied and what is asked of them."""
    # Most have the very same rules, and to compare them takes longer than to see that.
    rules = {id(asker.rules): asker.rules for asker in everybody}
    kinds = {each: number for number, each in enumerate(dict.fromkeys(rules.values()))}
    number = {one: kinds[each] for one, each in rules.items()}
    if not kinds:
        yield ()
    for asked in hardest(list(kinds)):
        found = ((asker, asked[number[id(asker.rules)]]) for asker in everybody)
        yield tuple((asker, demand) for asker, demand in found if demand is not None)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Who waits for approvals: who never gives them, and of whom how many are asked. `person`: None for a bot."""

    person: int | None
    barred: frozenset[int]
    counts: Mapping[int | None, int]


class _Case:
    """One kind of request: who may ask for it, and what it then takes."""

    def __init__(self, asking: Sequence[tuple[Asker, Demand]], able: Pools) -> None:
        self.able = able
        self.alone: set[int] = set()
        self.waiting: list[_Waiting] = []
        self.needs_nobody = False
        for asker, demand in asking:
            counts = {group: count for group, count in demand.by_group.items() if count}
            person = next(iter(asker.barred)) if asker.who[0] == MEMBER else None
            if counts:
                self.waiting.append(_Waiting(person, asker.barred, counts))
            elif person is None:
                self.needs_nobody = True
            else:
                self.alone.add(person)

    def spare(self) -> int | None:
        """As `spare_people`, of this kind of request."""
        if self.needs_nobody:
            return None
        if not self.waiting:
            return len(self.alone) - 1
        alike = self._alike()
        if len(alike) == 1:
            [(group, number)] = alike.items()
            return _of_one_group(self.alone, self.waiting, self.able.get(group, NOBODY), number) - 1
        if not self.alone and not any(self._is_met(one) for one in self.waiting):
            return -1
        return max(1, min(self._somebody_asks(), self._nobody_asks())) - 1

    def _alike(self) -> dict[int | None, int]:
        """How many of each group all wait for; without those of whom enough are there if enough of others are.

        Nothing, if they wait for different numbers.
        """
        found = dict(self.waiting[0].counts)
        if any(one.counts != found for one in self.waiting):
            return {}
        for group, count in tuple(found.items()):
            able = self.able.get(group, NOBODY)
            others = [(self.able.get(other, NOBODY), number) for other, number in found.items() if other != group]
            if any(pool <= able and number >= count for pool, number in others):
                del found[group]
        return found

    def _is_met(self, one: _Waiting) -> bool:
        return all(len(self.able.get(group, NOBODY) - one.barred) >= count for group, count in one.counts.items())

    def _somebody_asks(self) -> int:
        """At least so many losses stop it while a person is left who asks: some group is short then, for them."""
        found = []
        for one in self.waiting:
            if one.person is not None:
                for group, count in one.counts.items():
                    able = self.able.get(group, NOBODY)
                    lost = max(len(self.alone & able), len(able - one.barred) - count + 1)
                    found.append(len(self.alone - able) + lost)
        return max(min(found), self._keys_stop(NOBODY)) if found else len(self._people()) + self._keys_stop(NOBODY)

    def _nobody_asks(self) -> int:
        """At least so many stop it if no person is left who asks."""
        people = self._people()
        return len(people) + self._keys_stop(people)

    def _people(self) -> frozenset[int]:
        return frozenset(self.alone | {one.person for one in self.waiting if one.person is not None})

    def _keys_stop(self, without: frozenset[int]) -> int:
        """How many more of the others have to be lost at least, until no key gets anything through."""
        needed = (
            min(
                len(self.able.get(group, NOBODY) - one.barred - without) - count + 1
                for group, count in one.counts.items()
            )
            for one in self.waiting
            if one.person is None
        )
        return max((0, *needed))


def _of_one_group(alone: set[int], waiting: Sequence[_Waiting], able: frozenset[int], number: int) -> int:
    """The fewest losses that stop it where all who do not finish alone wait for `number` of the same people."""
    people = {one.person for one in waiting if one.person is not None}
    bots = [one.barred for one in waiting if one.person is None]
    everybody = alone | people
    found = [_fewer(alone, able, number), _nobody_asks(everybody, able, bots, number)]
    if people <= able | alone and _can_be_just_enough(alone, able, bots, number):
        found.append(len(alone - able) + len(able) - number)
    return min(found)


def _fewer(alone: set[int], able: frozenset[int], number: int) -> int:
    """Losses until fewer are left than the number asks for, and nobody who finishes alone."""
    return len(alone - able) + max(len(alone & able), len(able) - number + 1, 0)


def _can_be_just_enough(alone: set[int], able: frozenset[int], bots: list[frozenset[int]], number: int) -> bool:
    """Whether exactly the number can be left so that everything waits: who asks, or a custodian, is one of them."""
    left = able - alone
    return len(left) >= number and all(custodians & left for custodians in bots)


def _nobody_asks(asking: set[int], able: frozenset[int], bots: list[frozenset[int]], number: int) -> int:
    """Losses until no person is left to ask, and too few to approve what a key asks."""
    left = able - asking
    return len(asking) + max(0, *(len(left - custodians) - number + 1 for custodians in bots), 0)
