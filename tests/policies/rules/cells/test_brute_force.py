"""Rules against brute force: what is said of all requests is looked up in each."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any, TypeAlias

from policies.rules.cells.comparison import CellChange, compare
from policies.rules.cells.idle import idle
from policies.rules.cells.leaks import Leak, leaks
from policies.rules.language import Demand
from tests.policies.rules.cells import oracle, worlds

Answer: TypeAlias = tuple[oracle.Request, bool, oracle.Asked]
Less: TypeAlias = tuple[oracle.Request, bool, oracle.Asked, oracle.Asked]


def as_asked(demand: Demand) -> oracle.Asked:
    found: oracle.Asked = {None: demand.approvals, "deny": int(demand.is_denied), "delay": demand.delay_hours}
    return {what: number for what, number in (found | dict(demand.groups)).items() if number}


def answers(rules, requests) -> list[Answer]:
    """What the rules ask of each request, and of whom it is so."""
    policy = oracle.Policy(rules)
    return [
        (request, executes, policy.asks(request, executes=executes))
        for request in requests
        for executes in oracle.audiences(request)
    ]


def where_less(before: list[Answer], after: list[Answer]) -> list[Less]:
    """The requests of which less is asked after than before in some point, with whom it is so for, and both."""
    return [
        (request, executes, was, now)
        for (request, executes, was), (_, _, now) in zip(before, after, strict=True)
        if was != now and not oracle.is_below(was, now)
    ]


def check_changes(found: Sequence[CellChange], less: list[Less]) -> None:
    """Each case is one, least asked and most; and no request of which less is asked is as in none of them."""
    for change in found:
        there = [
            (was, now)
            for request, executes, was, now in less
            if executes == change.executes and oracle.matches(change.condition, request)
        ]
        assert there, change
        assert (as_asked(change.before), as_asked(change.after)) in there
    for executes in (False, True):
        assert any(each == executes for _, each, _, _ in less) == any(change.executes == executes for change in found)


@worlds.in_chunks
def test_a_draft_is_weaker_exactly_if_some_request_is_asked_for_less(number):
    for seed in worlds.seeds("compare", number):
        before, after = worlds.both(Random(seed))
        requests = oracle.grid((*before, *after))
        was, now = answers(before, requests), answers(after, requests)
        found = compare(before, after)
        check_changes(found.weaker, where_less(was, now))
        turned = [replace(one, before=one.after, after=one.before) for one in found.stricter]
        check_changes(turned, where_less(now, was))


def is_same(some: list[Answer], others: list[Answer]) -> bool:
    return not where_less(some, others) and not where_less(others, some)


def without(rules, places):
    return tuple(rule for place, rule in enumerate(rules) if place not in places)


@worlds.in_chunks
def test_idle_rules_are_those_without_which_nothing_is_asked_for_less(number):
    for seed in worlds.seeds("idle", number):
        rules = worlds.some_rules(Random(seed))
        requests = oracle.grid(rules)
        found = idle(rules)
        kept = without(rules, found)
        assert bool(kept) == bool(rules)
        asked, of_kept = answers(rules, requests), answers(kept, requests)
        assert is_same(asked, of_kept)
        for place in range(len(rules)):
            if place in found:
                assert is_same(asked, answers(without(rules, {place}), requests))
            elif len(kept) > 1:
                assert not is_same(of_kept, answers(without(rules, {*found, place}), requests))


def leaks_by_trying(rules) -> set[Leak]:
    requests = oracle.grid(rules)
    found = set()
    for place, rule in enumerate(rules):
        ways = oracle.conditions(rule)
        for name, _ in ways[-1]:
            amount = least_covered(rules, rule, name, requests)
            if amount is not None:
                window, scope = (None, ()) if name == "v" else (name[1], name[0])
                found.add(Leak(place, amount, window, scope))
    return found


def least_covered(rules, rule, name, requests):
    """The least amount that, kept in `name`, is asked all that the rule asks in each of its patterns; None for any."""
    escaping: dict[Any, set[tuple[Any, bool]]] = {}
    policy, outcome = oracle.Policy(rules), oracle.outcome(rule)
    for request in requests:
        if not oracle.is_listed(rule, request):
            continue
        for executes in oracle.audiences(request):
            if executes and not rule.always:
                continue
            pattern = (executes, *(request[key] for key in ("asset", "account", "destination", "initiator", "age")))
            asked = oracle.is_below(outcome, policy.asks(request, executes=executes))
            levels = escaping.setdefault(request["totals"][name], set())
            levels |= {(pattern, asked)}
    covered = [
        level
        for level, seen in sorted(escaping.items())
        if {pattern for pattern, _ in seen} == {pattern for pattern, asked in seen if asked}
    ]
    return None if not covered or covered[0] == oracle.BELOW else covered[0]


@worlds.in_chunks
def test_a_leak_is_all_that_leaves_without_what_the_rule_asks(number):
    for seed in worlds.seeds("leaks", number):
        rules = worlds.some_rules(Random(seed))
        assert set(leaks(rules)) == leaks_by_trying(rules), seed
