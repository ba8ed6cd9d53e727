"""The smallest group where groups of Members or amounts make it too slow to try them all by size (DESIGN P6).

It begins with nobody, and only ever takes people in who make something possible that was not: whoever reaches the
target does so by one thing after another, and of the first that those taken in so far cannot do, all who do it are in
that group. The last thing is not tried in all its ways: of those who could do it the fewest are counted.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass

from policies.rules.takeover.asks import Ask, Count, Members
from policies.rules.takeover.covers import fewest, ways
from policies.rules.takeover.kinds import Kinds
from policies.rules.takeover.moves import Lift, Move
from policies.rules.takeover.newcomers import ask_for_access
from policies.rules.takeover.roads import Roads
from policies.rules.takeover.targets import ACCESS, Group, State, Target

People = frozenset[int]


@dataclass(frozen=True, slots=True)
class _Here:
    """Some people taken in, and how far they come. `able`: who could ask or approve if they were taken in."""

    people: People
    state: State
    able: People
    members: Members


class Search:
    """One search for one target."""

    def __init__(self, roads: Roads, kinds: Kinds) -> None:
        self._roads = roads
        self._ground = roads.ground
        self._place = {person.user_id: place for place, person in enumerate(kinds.order)}
        self._order, self._above = kinds.order, kinds.above
        self._kind = {person.user_id: kinds.number[place] for place, person in enumerate(kinds.order)}
        self._able = frozenset(
            person.user_id for person in kinds.order if person.is_verified and not person.is_kept_out
        )
        self._best: People | None = None
        # By what the ground keeps.
        self._known: dict[int, tuple[int, list[int]]] = {}

    def smallest(self, at_least: int = 1) -> Group | None:
        """The smallest group that carries out the target; none is known to be smaller than `at_least`."""
        if not self._roads.reaches(self._order):
            return None
        waiting: list[list[People]] = [[] for _ in range(len(self._order) + 1)]
        waiting[0].append(frozenset())
        seen = {frozenset[int]()}
        for size, those in enumerate(waiting):
            if size > self._most or (self._best is not None and len(self._best) <= at_least):
                break
            for people in those:
                for more in self._grown(people):
                    if more not in seen and len(more) <= self._most:
                        seen.add(more)
                        waiting[len(more)].append(more)
        return None if self._best is None else self._group(self._best)

    @property
    def _most(self) -> int:
        """How many people may be taken in for it to become smaller than what was found."""
        return len(self._order) if self._best is None else len(self._best) - 1

    def _group(self, people: Set[int]) -> Group:
        return tuple(person for person in self._order if person.user_id in people)

    def _with_those_above(self, people: People) -> People:
        found, waiting = set(people), [self._place[one] for one in people]
        while waiting:
            for place in self._above[waiting.pop()]:
                one = self._order[place].user_id
                if one not in found:
                    found.add(one)
                    waiting.append(place)
        return frozenset(found)

    def _grown(self, people: People) -> Iterator[People]:
        """Larger groups that can do something which this one cannot; if it reaches the target, none."""
        here = self._look(people)
        group = self._group(people)
        if self._roads.arrives(group, here.state):
            self._found(people)
            return
        for _, ask in self._roads.endings(here.state):
            self._end(here, ask)
        access = ask_for_access(self._ground, here.state)
        moves = (self._roads.ask(here.state, move) for move in self._roads.moves(group, here.state))
        others = [ask for ask in moves if ask is not None]
        if not self._end(here, access):
            others.append(access)
        if self._ground.groups:
            others.append(self._ground.ask(here.state, Target(ACCESS)))
        for ask in {id(ask): ask for ask in others}.values():
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

    def _end(self, here: _Here, ask: Ask) -> bool:
        """Whether the fewest whom it takes to do that reach the target; then they are remembered if they are fewer."""
        is_over = True
        for base, counts in self._askers(here, ask, self._most):
            more = fewest(counts, self._most - len(base))
            if more is not None:
                if self._roads.reaches(self._group(base | more)):
                    self._found(base | more)
                else:
                    is_over = False
        return is_over

    def _found(self, people: People) -> None:
        if len(people) <= self._most:
            self._best = people

    def _by(self, here: _Here, ask: Ask) -> Iterator[People]:
        """All who could do that, together with those who are here."""
        for base, counts in self._askers(here, ask, self._most):
            for more in ways(counts, self._most - len(base), self._place.__getitem__, self._kind.__getitem__):
                yield self._with_those_above(base | more)

    def _by_letting_in(self, here: _Here) -> Iterator[People]:
        """The same for whoever has to be let in or verified before they can do anything: they, and who does it."""
        seen: set[int] = set()
        for person in self._order:
            kind = self._kind[person.user_id]
            if person.user_id in here.people | here.able or kind in seen:
                continue
            seen.add(kind)
            move: Move = Lift(person) if person.is_kept_out else person
            ask = self._roads.ask(here.state, move)
            if ask is not None:
                joined = _Here(here.people | {person.user_id}, here.state, here.able, here.members)
                yield from self._by(joined, ask)

    def _askers(self, here: _Here, ask: Ask, most: int) -> Iterator[tuple[People, tuple[Count, ...]]]:
        """For each way of asking: those who are here and whoever asks, and how many are missing out of whom."""
        tried: set[int] = set()
        fewest, askers = self._about(ask)
        if fewest > most:
            return
        for asker in askers:
            if not ask.is_held and asker not in here.able:
                continue
            if asker not in here.people:
                if self._kind[asker] in tried:
                    continue
                tried.add(self._kind[asker])
            base = here.people | {asker}
            for need in ask.needs[asker]:
                if need.is_denied or need.approvals + 1 > most:
                    continue
                counts = ask.counts(asker, need, here.members, here.able)
                missing = _missing(base, counts)
                if missing is not None and max((count for _, count in missing), default=0) <= most - len(base):
                    yield base, missing

    def _about(self, ask: Ask) -> tuple[int, list[int]]:
        """How few it takes at least, and who may ask: of each kind whoever is above the others comes first."""
        if id(ask) not in self._known:
            self._known[id(ask)] = (
                ask.fewest,
                sorted(ask.needs.keys() & self._place.keys(), key=self._place.__getitem__),
            )
        return self._known[id(ask)]


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
