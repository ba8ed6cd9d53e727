"""One request as a group meets it: who may ask, who may approve, and what it takes of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from policies.rules.facts import NEVER, Person
from policies.rules.quorum import Need
from policies.rules.takeover.targets import Group
from policies.workflows import Workflow

# Who is in a group of Members, by person.
Members: TypeAlias = Callable[[int], Set[int]]
# So many out of these persons.
Count: TypeAlias = tuple[frozenset[int], int]


@dataclass(frozen=True)
class Ask:
    """A request that somebody could make in `workflow`.

    `needs`: by person who may ask, what it takes then; any one of those is enough. `approvers` may approve what
    somebody else asks, and of each of `answers` one has to be among them or ask. With `is_held` they ask by what they
    hold in their hands, a key, whether or not they are verified.
    """

    workflow: Workflow
    needs: Mapping[int, tuple[Need, ...]]
    approvers: frozenset[int]
    answers: tuple[frozenset[int], ...] = ()
    is_held: bool = False

    @cached_property
    def different(self) -> tuple[Need, ...]:
        """Each thing that it can take, but for what is denied."""
        # Nearly all have the very same, and to compare what they have takes longer than to see that.
        each_once = {id(each): each for each in self.needs.values()}
        needs = (need for each in each_once.values() for need in each)
        return tuple(dict.fromkeys(need for need in needs if not need.is_denied))

    @cached_property
    def fewest(self) -> int:
        """No fewer people than this bring it about, whoever they are: who asks, and whom it takes at least."""
        return 1 + min((_most(need) for need in self.different), default=NEVER)

    @cached_property
    def groups(self) -> frozenset[int]:
        """The groups of Members of whom it could take approvals."""
        return frozenset(group for need in self.different for group, _ in need.groups)

    def counts(self, asker: int | None, need: Need, members: Members, among: Set[int]) -> tuple[Count, ...]:
        """What approves it, of those `among` whom approvers are looked for, as so many out of each set of people."""
        able = self.approvers & among - {asker}
        found = [(able, need.approvals), *((able & members(group), count) for group, count in need.groups)]
        found += [(able & answering, 1) for answering in self.answers if asker not in answering]
        return tuple((people, count) for people, count in found if count)

    def agreed(self, group: Group, able: Set[int], asker: Person, members: Members) -> Group | None:
        """Those of `group` who approve what `asker` asks; None if they do not suffice."""
        for need in self.needs[asker.user_id]:
            if need.is_denied or _most(need) >= len(group):
                continue
            here = tuple(person for person in group if person.user_id in able)
            counts = self.counts(asker.user_id, need, members, frozenset(person.user_id for person in here))
            if all(len(people) >= count for people, count in counts):
                first = self._first(here, need, asker)
                return _spared(first, counts) if need.groups else first
        return None

    def _first(self, here: Group, need: Need, asker: Person) -> Group:
        """All who may approve, in the order in which they are asked: whoever answers for keys before the others."""
        able = [person for person in here if person.user_id in self.approvers and person is not asker]
        first = [
            next(person for person in able if person.user_id in answering)
            for answering in self.answers
            if asker.user_id not in answering
        ]
        if not need.groups:
            chosen = tuple(dict.fromkeys(first))
            rest = [person for person in able if person not in chosen]
            return (*chosen, *rest[: max(0, need.approvals - len(chosen))])
        return tuple(dict.fromkeys((*first, *able)))


def least(needs: Iterable[Need]) -> tuple[Need, ...]:
    """Those of `needs` that no other asks less than; what is denied is among them only if everything is.

    A delay is waited out: of those that differ in nothing else there is the shortest.
    """
    found: dict[tuple[int, tuple[tuple[int, int], ...]], Need] = {}
    needs = sorted(needs, key=lambda need: need.delay_hours)
    for need in [need for need in needs if not need.is_denied] or needs[:1]:
        found.setdefault((need.approvals, need.groups), need)
    return tuple(
        need
        for need in found.values()
        if not any(other is not need and _is_less(other, need) for other in found.values())
    )


def _is_less(one: Need, other: Need) -> bool:
    theirs = dict(other.groups)
    return one.approvals <= other.approvals and all(count <= theirs.get(group, 0) for group, count in one.groups)


def _most(need: Need) -> int:
    """The largest number of people that it asks for."""
    return max((need.approvals, *(count for _, count in need.groups)))


def _spared(people: Group, counts: Sequence[Count]) -> Group:
    """The same without whoever is not needed beside the others."""
    for person in reversed(people):
        fewer = {other.user_id for other in people if other is not person}
        if all(len(fewer & out_of) >= count for out_of, count in counts):
            people = tuple(other for other in people if other is not person)
    return people
