"""The smallest group where groups of Members or amounts make it too slow to try them all by size (DESIGN P6).

It begins with nobody, and only ever takes people in who make something possible that was not: whoever reaches the
target does so by one thing after another, and of the first that those taken in so far cannot do, all who do it are in
that group. The last thing is not tried in all its ways: of those who could do it the fewest are counted.
"""

from bisect import bisect_left
from collections.abc import Iterator, Set
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Final

from policies.rules.takeover.asks import Ask, Count, Members
from policies.rules.takeover.covers import fewest, ways
from policies.rules.takeover.kinds import Kinds
from policies.rules.takeover.moves import Lift, Move
from policies.rules.takeover.newcomers import ask_for_access
from policies.rules.takeover.roads import Roads
from policies.rules.takeover.targets import ACCESS, Group, State, Target
from policies.rules.takeover.within import Counts, within

People = frozenset[int]
MOST_LOOKS: Final = 150


@dataclass(frozen=True, slots=True)
class _Here:
    """Some people taken in, and how far they come. `able`: who could ask or approve if they were taken in."""

    people: People
    state: State
    able: People
    members: Members


def smallest(roads: Roads, at_least: int = 1) -> Group | None:
    """The smallest group that reaches the target; none is known to be smaller than `at_least`.

    Where more than `MOST_LOOKS` groups of a size would have to be looked at, as where much is asked of large groups on
    every road, it is one of whom nobody can be spared: perhaps not the smallest, but one that gets there.
    """
    if not roads.reaches(roads.ground.people):
        return None
    kinds: dict[Counts, Kinds] = {}
    for size in range(at_least, len(roads.ground.people) + 1):
        counts = within(roads, size)
        if counts is not None:
            if counts not in kinds:
                kinds[counts] = Kinds(roads.ground, counts)
            search = _Search(roads, kinds[counts], size)
            found = search.first()
            if found is not None:
                return found
            if search.looks > MOST_LOOKS:
                return _without_spare(roads, kinds[counts].order)
    return None


def _without_spare(roads: Roads, order: Group) -> Group:
    """A group that reaches the target of whom nobody can be spared, out of those who can do most."""
    size = bisect_left(range(len(order)), True, key=lambda size: roads.reaches(order[:size]))
    group = order[:size]
    for person in reversed(group):
        fewer = tuple(other for other in group if other is not person)
        if roads.reaches(fewer):
            group = fewer
    return group


class _Search:
    """One search for a group of `most` people."""

    def __init__(self, roads: Roads, kinds: Kinds, most: int) -> None:
        self._roads = roads
        self._ground = roads.ground
        self._most = most
        self._order, self._closed = kinds.order, kinds.closed
        self._place = {person.user_id: place for place, person in enumerate(kinds.order)}
        self._kind = {person.user_id: kinds.number[place] for place, person in enumerate(kinds.order)}
        # Who is never without more than these is in no group so small.
        self._there = frozenset(one for one, place in self._place.items() if self._closed[place].bit_count() <= most)
        self._able = frozenset(
            person.user_id for person in kinds.order if person.is_verified and not person.is_kept_out
        )
        self.looks = 0
        # By what the ground keeps.
        self._askers_of: dict[int, list[int]] = {}

    def first(self) -> Group | None:
        """The first that is found."""
        found = self._from(frozenset(), {frozenset()})
        return None if found is None else self._group(found)

    def _from(self, people: People, seen: set[People]) -> People | None:
        """The first that is found with these people, and others besides whom it takes to do something more."""
        self.looks += 1
        if self.looks > MOST_LOOKS:
            return None
        here = self._look(people)
        found = self._ended(here)
        for more in self._grown(here) if found is None else ():
            if self.looks > MOST_LOOKS:
                return None
            if more not in seen and len(more) <= self._most:
                seen.add(more)
                found = self._from(more, seen)
                if found is not None:
                    return found
        return found

    def _group(self, people: Set[int]) -> Group:
        return tuple(person for person in self._order if person.user_id in people)

    def _with_those_above(self, people: People) -> People:
        together = reduce(or_, (self._closed[self._place[one]] for one in people), 0)
        return frozenset(person.user_id for place, person in enumerate(self._order) if together >> place & 1)

    def _ended(self, here: _Here) -> People | None:
        """A group that reaches the target next: these people, or with the fewest more whom the last step takes."""
        if self._roads.arrives(self._group(here.people), here.state):
            return here.people
        asks = [ask for _, ask in self._roads.endings(here.state)]
        for ask in (*asks, ask_for_access(self._ground, here.state)):
            for base, counts in self._askers(here, ask):
                more = fewest(counts, self._most - len(base))
                if more is not None and self._roads.reaches(self._group(base | more)):
                    return base | more
        return None

    def _grown(self, here: _Here) -> Iterator[People]:
        """Larger groups that can do something which this one cannot."""
        group = self._group(here.people)
        moves = (self._roads.ask(here.state, move) for move in self._roads.moves(group, here.state))
        # Who gives rights might still lack somebody whose identity they verify.
        asks = [ask for ask in moves if ask is not None] + [ask_for_access(self._ground, here.state)]
        if self._ground.groups:
            asks.append(self._ground.ask(here.state, Target(ACCESS)))
        for ask in {id(ask): ask for ask in asks}.values():
            yield from self._by(here, ask)
        yield from self._by_letting_in(here)

    def _look(self, people: People) -> _Here:
        """How far they come. Who can put others into a group of Members does so with whoever is taken in next."""
        group = self._group(people)
        state, _ = self._roads.closed(group)
        ground = self._ground
        puts_in = bool(ground.groups) and self._roads.puts_in(group, state)
        everybody = frozenset(self._place) - people

        def members(number: int) -> Set[int]:
            joining = puts_in and not ground.is_named_by_lock(state, number)
            return ground.members(state, number) | (everybody if joining else frozenset())

        return _Here(people, state, state.able | (self._able - people), members)

    def _by(self, here: _Here, ask: Ask) -> Iterator[People]:
        """All who could do that, together with those who are here."""
        for base, missing in self._askers(here, ask):
            if not base <= self._there:
                continue
            counts = tuple((people & self._there, count) for people, count in missing)
            for more in ways(counts, self._most - len(base), self._place.__getitem__, self._kind.__getitem__):
                yield self._with_those_above(base | more)

    def _by_letting_in(self, here: _Here) -> Iterator[People]:
        """The same for whoever has to be let in or verified before they can do anything: they, and who does it."""
        seen: set[int] = set()
        for person in self._order:
            kind = self._kind[person.user_id]
            away = person.user_id not in here.people and person.user_id not in here.able
            if not away or person.user_id not in self._there or kind in seen:
                continue
            seen.add(kind)
            move: Move = Lift(person) if person.is_kept_out else person
            ask = self._roads.ask(here.state, move)
            if ask is not None:
                joined = _Here(here.people | {person.user_id}, here.state, here.able, here.members)
                yield from self._by(joined, ask)

    def _askers(self, here: _Here, ask: Ask) -> Iterator[tuple[People, tuple[Count, ...]]]:
        """For each way of asking: those who are here and whoever asks, and how many are missing out of whom."""
        if ask.fewest > self._most:
            return
        if id(ask) not in self._askers_of:
            # Of each kind whoever is above the others comes first.
            self._askers_of[id(ask)] = sorted(ask.needs.keys() & self._place.keys(), key=self._place.__getitem__)
        tried: set[int] = set()
        for asker in self._askers_of[id(ask)]:
            if not ask.is_held and asker not in here.able:
                continue
            if asker not in here.people:
                if self._kind[asker] in tried:
                    continue
                tried.add(self._kind[asker])
            base = here.people | {asker}
            for need in ask.needs[asker]:
                if need.is_denied or need.approvals >= self._most:
                    continue
                missing = _missing(base, ask.counts(asker, need, here.members, here.able))
                if missing is not None and max((n for _, n in missing), default=0) <= self._most - len(base):
                    yield base, missing


def _missing(base: People, counts: tuple[Count, ...]) -> tuple[Count, ...] | None:
    """How many are missing, out of whom; None if there are not as many."""
    found = []
    for people, count in counts:
        left = count - len(people & base)
        if left > 0:
            others = people - base
            if len(others) < left:
                return None
            found.append((others, left))
    return tuple(found)
