"""So many out of each of several sets of people: the fewest who are that together, and all ways of being it."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from policies.rules.takeover.asks import Count

# How many of each sort of people are chosen, or can be; a sort is the sets that one is in, as bits.
Sorts: TypeAlias = Counter[int]


def fewest(counts: Sequence[Count], most: int) -> frozenset[int] | None:
    """The smallest set of people of whom so many are in each; None if it takes more than `most`."""
    missing = tuple(count for _, count in counts)
    if max(missing, default=0) > most:
        return None
    sorts = _sorted([people for people, _ in counts])
    there = {sort: len(people) for sort, people in sorts.items()}
    for size in range(max(missing, default=0), min(most, sum(there.values())) + 1):
        chosen = _choose(missing, there, size, set())
        if chosen is not None:
            return frozenset(person for sort, count in chosen.items() for person in sorted(sorts[sort])[:count])
    return None


def _sorted(sets: Sequence[frozenset[int]]) -> dict[int, frozenset[int]]:
    """All who are in any of `sets`, by their sort."""
    found = {0: frozenset[int]().union(*sets)}
    for place, people in enumerate(sets):
        parts = ((sort | bit << place, part) for sort, one in found.items() for bit, part in _cut(one, people))
        found = {sort: part for sort, part in parts if part}
    return found


def _cut(one: frozenset[int], other: frozenset[int]) -> tuple[tuple[int, frozenset[int]], ...]:
    return (0, one - other), (1, one & other)


def _choose(
    missing: tuple[int, ...], there: dict[int, int], size: int, failed: set[tuple[object, ...]]
) -> Sorts | None:
    """Which sorts of people, `size` at most, are all that is `missing` of each set."""
    wanted = sum(1 << place for place, count in enumerate(missing) if count)
    if not wanted:
        return Counter()
    useful = {sort & wanted for sort, count in there.items() if count}
    broadest = max((sort.bit_count() for sort in useful), default=0)
    known = (missing, size, tuple(sorted(there.items())))
    if max(missing) > size or sum(missing) > size * broadest or known in failed:
        return None
    # Of the set that the fewest kinds of people are in, one has to be chosen.
    first = min(
        (place for place, count in enumerate(missing) if count),
        key=lambda place: sum(1 for sort in useful if sort >> place & 1),
    )
    for sort in _best(there, wanted, first):
        left = tuple(count - (sort >> place & 1) if count else 0 for place, count in enumerate(missing))
        rest = _choose(left, there | {sort: there[sort] - 1}, size - 1, failed)
        if rest is not None:
            rest[sort] += 1
            return rest
    failed.add(known)
    return None


def _best(there: dict[int, int], wanted: int, first: int) -> list[int]:
    """The sorts in the set `first` that no other is at least as good as, the broadest first."""
    able = sorted(
        (sort for sort, count in there.items() if count and sort >> first & 1),
        key=lambda sort: (-(sort & wanted).bit_count(), sort),
    )
    found: list[int] = []
    for sort in able:
        if not any(sort & wanted & other == sort & wanted for other in found):
            found.append(sort)
    return found


def ways(
    counts: Sequence[Count], most: int, order: Callable[[int], int], kind: Callable[[int], int]
) -> Iterator[frozenset[int]]:
    """All sets of `most` people at most of whom so many are in each, each person one that was missing when taken.

    Of people of the same `kind`, who are in the same sets, those who are first in `order` are taken first.
    """
    ordered = [(sorted(people, key=order), people, count) for people, count in counts]
    yield from _ways(ordered, most, kind, frozenset(), frozenset())


def _ways(
    counts: Sequence[tuple[Sequence[int], frozenset[int], int]],
    most: int,
    kind: Callable[[int], int],
    chosen: frozenset[int],
    left_out: frozenset[int],
) -> Iterator[frozenset[int]]:
    missing = [(in_order, count - len(people & chosen)) for in_order, people, count in counts]
    missing = [(in_order, count) for in_order, count in missing if count > 0]
    if not missing:
        yield chosen
        return
    if max(count for _, count in missing) > most:
        return
    in_order, _ = min(missing, key=lambda each: len(each[0]))
    tried: set[int] = set()
    for person in in_order:
        if person not in chosen and kind(person) not in left_out and kind(person) not in tried:
            yield from _ways(counts, most - 1, kind, chosen | {person}, left_out | tried)
            tried.add(kind(person))
