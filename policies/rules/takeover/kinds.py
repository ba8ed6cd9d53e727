"""Who can stand in for whom: where one person can do all that another can, no group needs the latter alone."""

from collections.abc import Iterator, Sequence
from functools import cached_property, reduce
from itertools import pairwise
from operator import or_

from policies.rules.facts import Person
from policies.rules.takeover.ground import Ground
from policies.rules.takeover.targets import MONEY, Group
from policies.rules.takeover.within import Counts
from policies.workflows import Right


class Kinds:
    """All people, those who can do most first.

    `number`: for each place the kind, the same for the same powers. `above`: those without whom nobody takes it. These
    are the one before it with the same powers, and for the first with some powers everybody who holds all of them and
    more. Most people have the powers of many others: what is compared are the kinds there are.
    """

    def __init__(self, ground: Ground, counts: Counts) -> None:
        powers = _of_everybody(ground, counts)
        order = sorted(ground.people, key=lambda person: (-len(powers[person.member_id]), person.member_id))
        self.order: Group = tuple(order)
        held = [powers[person.member_id] for person in order]
        self.above = _above(held)
        numbers = {each: number for number, each in enumerate(dict.fromkeys(held))}
        self.number = [numbers[each] for each in held]

    @cached_property
    def closed(self) -> list[int]:
        """For each place, as bits, all without whom nobody takes it, and the place itself."""
        found: list[int] = []
        for place, above in enumerate(self.above):
            found.append(reduce(or_, (found[other] for other in above), 1 << place))
        return found

    def groups(self, size: int) -> Iterator[Group]:
        """All groups of `size` that hold, with each person, those above them."""
        for places in _closed(self.above, size):
            yield tuple(self.order[place] for place in places)


def _above(held: Sequence[frozenset[object]]) -> list[frozenset[int]]:
    places: dict[frozenset[object], list[int]] = {}
    for place, powers in enumerate(held):
        places.setdefault(powers, []).append(place)
    above: dict[int, frozenset[int]] = {}
    for powers, (first, *others) in places.items():
        above[first] = frozenset(place for other in places if other > powers for place in places[other])
        above |= {place: frozenset({before}) for before, place in pairwise((first, *others))}
    return [above[place] for place in range(len(held))]


def _of_everybody(ground: Ground, counts: Counts) -> dict[int, frozenset[object]]:
    """The powers of each, by Member: looked at once for all who hold the same."""
    known: dict[object, frozenset[object]] = {}
    found = {}
    for person in ground.people:
        held = (person.grants, person.groups, ground.keys_of(person), _unmatched(person, ground))
        same = (*held, person.is_kept_out, person.is_verified, person.holds_power)
        if same not in known:
            known[same] = _powers(person, ground, counts)
        found[person.member_id] = known[same]
    return found


def _powers(person: Person, ground: Ground, counts: Counts) -> frozenset[object]:
    """All that counts of a person here. Being a custodian helps and hinders, so it compares only with itself."""
    # Letting somebody in, and verifying them, is easier where they hold no right yet (P4); whoever is ahead of it has
    # both.
    found: set[object] = set()
    for what, is_ahead in (("in", not person.is_kept_out), ("verified", person.is_verified)):
        ways = ((what, True), (what, False))
        found |= {what, *ways} if is_ahead else {(what, person.holds_power)}
    target = ground.target
    for workflow in counts.workflows:
        account_id = target.account_id if workflow.by_account else None
        rights = (Right.INITIATE, Right.APPROVE, Right.EXECUTE)
        found |= {(workflow, right) for right in rights if person.holds(workflow, right, account_id)}
    found |= {("group", group) for group in counts.groups if group in person.groups}
    found |= {("free of", place) for place in _unmatched(person, ground)}
    return frozenset(found | (_about_keys(person, ground) if counts.keys else set()))


def _about_keys(person: Person, ground: Ground) -> set[object]:
    """Which keys they hold, and for which Accounts they could answer once keys send at once."""
    accounts = {bot.account_id for bot in ground.withdrawing}
    executes = {("answers", account_id) for account_id in accounts if person.holds(MONEY, Right.EXECUTE, account_id)}
    # As one thing: who holds other keys, more or fewer, is neither ahead nor behind.
    return {*executes, ("keys", ground.keys_of(person))}


def _unmatched(person: Person, ground: Ground) -> frozenset[int]:
    """Which rules match nothing that they ask."""
    return ground.corners.unmatched(ground.name_of[person.user_id]) if ground.corners else frozenset()


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
