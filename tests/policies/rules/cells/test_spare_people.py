"""Spare people by cell and group against brute force: everybody is taken away, one by one and together."""

from dataclasses import replace
from itertools import combinations
from random import Random

from policies.rules.spare_approvers import spare_people
from tests.policies.rules.cells import oracle, people, worlds
from tests.policies.rules.cells.people import MONEY, Small
from tests.policies.rules.cells.test_dead_ends_by_cell import requests_of
from tests.policies.rules.cells.worlds import GROUPS

EVERYBODY = range(1, 6)


def without(small: Small, lost: frozenset[int]) -> Small:
    return replace(
        small, approving=small.approving - lost, asking=small.asking - lost, executing=small.executing - lost
    )


def stops(small: Small, request: oracle.Request, account: int) -> int | None:
    """The fewest whose loss lets nobody carry this through; None if keys go on without anybody."""
    asked = {
        (who, executes): small.policy.asks(request | {"initiator": who}, executes=executes)
        for who, executes, _ in small.askers(account)
    }
    if not small.rules and account == 1 and small.keys:
        return None
    for size in range(len(EVERYBODY) + 1):
        for lost in combinations(EVERYBODY, size):
            left = without(small, frozenset(lost))
            if not any(
                not asked[who, executes].get("deny")
                and all(left.able(group, barred) >= asked[who, executes].get(group, 0) for group in (None, *GROUPS))
                for who, executes, barred in left.askers(account)
            ):
                return size
    raise AssertionError(small)


def is_denied(small: Small, request: oracle.Request, account: int) -> bool:
    return all(
        small.policy.asks(request | {"initiator": who}, executes=executes).get("deny")
        for who, executes, _ in small.askers(account)
    )


def spare_by_trying(small: Small, account: int) -> int | None:
    found = []
    for request in requests_of(small.rules):
        here = request | {"account": str(account)}
        if small.askers(account) and is_denied(small, here, account):
            continue
        fewest = stops(small, here, account)
        if fewest is None:
            return None
        found.append(fewest - 1)
    return min(found, default=-1)


@worlds.in_chunks
def test_never_is_one_more_said_to_be_spare_than_there_is(number):
    exact = 0
    for seed in worlds.seeds("spare", number):
        dice = Random(seed)
        small = people.some_people(dice, worlds.some_rules(dice))
        for account in people.ACCOUNTS:
            said, tried = spare_people(small.facts(), MONEY, account), spare_by_trying(small, account)
            exact += said == tried
            if said is None or tried is None:
                assert said is tried
            else:
                assert said <= tried <= said + 2, seed
                assert (said < 0) == (tried < 0), seed
    tried_here = 2 * worlds.ORGANIZATIONS["spare"] / worlds.CHUNKS
    assert exact > 0.8 * tried_here, "it says fewer where groups or keys differ, and no more often than that"
