"""P5 by cell, initiator and group against brute force: refused is what makes a shortage appear or grow, in any cell."""

from collections.abc import Iterable
from random import Random

from policies.rules.dead_ends import Shortage, shortages, worse
from policies.rules.language import initiator_id
from tests.policies.rules.cells import oracle, people, worlds


def most(found: Iterable[Shortage]) -> dict[object, int]:
    """The largest shortage of each initiator and group, whatever the cell."""
    by_place: dict[object, int] = {}
    for one in found:
        place = (one.account_id, initiator_id(*one.who), one.group)
        by_place[place] = max(by_place.get(place, 0), one.missing)
    return by_place


def requests_of(rules) -> list[oracle.Request]:
    return [
        request for request in oracle.grid(rules) if (request["initiator"], request["account"]) == ("member:99", "99")
    ]


def grown_by_trying(before, after) -> dict[object, int]:
    found: dict[object, int] = {}
    for request in requests_of((*before.rules, *after.rules)):
        for account in people.ACCOUNTS:
            here = request | {"account": str(account)}
            was = before.missing(here)
            for (who, group), missing in after.missing(here).items():
                if missing > was.get((who, group), 0):
                    place = (account, who, group)
                    found[place] = max(found.get(place, 0), missing)
    return found


@worlds.in_chunks
def test_exactly_what_makes_a_shortage_appear_or_grow_in_some_cell_is_worse(number):
    for seed in worlds.seeds("dead ends", number):
        dice = Random(seed)
        old, new = worlds.both(dice)
        before = people.some_people(dice, old)
        after = people.changed(dice, before, new)
        found = worse(before.facts(), after.facts())
        assert most(one for one in found if one.workflow is people.MONEY) == grown_by_trying(before, after), (
            number,
            seed,
        )


@worlds.in_chunks
def test_what_is_short_is_what_trying_finds(number):
    nobody = people.Small()
    for seed in worlds.seeds("short", number):
        dice = Random(seed)
        here = people.some_people(dice, worlds.some_rules(dice))
        found = shortages(here.facts())
        assert most(found) == grown_by_trying(nobody, here), seed
        for one in found:
            assert one.cell.approvals == 0
