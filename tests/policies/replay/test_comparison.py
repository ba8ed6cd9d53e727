"""What a replay counts, case by case."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from policies.measures import Past
from policies.replay import comparison
from policies.replay.comparison import Difference, Grown, compare
from policies.rules import Bot, Facts, Held, Key, Person, Terms
from policies.rules.language import INFINITE, Among, AtLeast, GroupApprovals, Rule, Scope, Situation, SumOf, Window
from policies.workflows import Right
from portal.core.errors import Refused
from tests.policies.replay.history import BOARD, FINANCE, START, WITHDRAWAL

HOUR = timedelta(hours=1)


def person(number, right=Right.APPROVE, groups=()):
    grants = frozenset({Held(WITHDRAWAL, right)})
    return Person(number, number, f"P{number}", factors=frozenset({"totp"}), grants=grants, groups=frozenset(groups))


# One asks, three approve; two of these are of Finance.
PEOPLE = (person(1, Right.INITIATE), person(2, groups=[FINANCE]), person(3, groups=[FINANCE]), person(4))
FACTS = Facts("any", {1: "Main"}, PEOPLE, groups={FINANCE: "Finance", BOARD: "Board"})


def policy(*rules):
    return Terms(WITHDRAWAL.value, 1, always=True, open_hours=72, rules=rules)


PLAIN = policy(Rule(approvals=1))


def payment(number, value=10, *, hours=0, took=0, released=None, **known):
    """Asked so many hours after the start, and executed after another so many; None: it is held still."""
    at = START + hours * HOUR
    known = {"account": "1", "initiator": "member:1", "age_hours": 1000.0, **known}
    situation = Situation(value=value if value is INFINITE else Decimal(value), **known)
    sent = None if took is None or released is not None else at + took * HOUR
    return Past(number, at, situation, sent_at=sent, released_at=None if released is None else at + released * HOUR)


def counted(past, after, before=PLAIN, facts=FACTS, since=START):
    return compare(past, facts, before, after, since=since)


def test_more_is_counted_with_how_many_more_and_of_whom():
    tiers = policy(
        Rule(approvals=1),
        Rule(approvals=2, amount=Decimal(100)),
        Rule(groups=(GroupApprovals(FINANCE, 2),), amount=Decimal(1000)),
    )
    found = counted([payment(1, 10), payment(2, 100), payment(3, 5000)], tiers)
    assert found.total == 3
    assert found.counts == {Difference.MORE: 2}
    # The third takes two as well, both of Finance.
    assert found.grown == {Grown(None, 1): 2, Grown(FINANCE, 2): 1}
    assert [number for number, _ in found.found[Difference.MORE]] == [2, 3]


def test_each_request_is_kept_with_what_was_asked_and_what_would_have_been():
    found = counted([payment(1), payment(2)], policy(Rule(approvals=3)))
    assert [(old.approvals, new.approvals) for old, new in found.pairs] == [(1, 3)]
    assert found.found == {Difference.MORE: [(1, 0), (2, 0)]}


def test_fewer_denied_delayed_and_what_today_nobody_could_finish():
    before = policy(Rule(approvals=2))
    after = policy(
        Rule(approvals=1, initiators=Among(("member:1",))),
        Rule(deny=True, assets=Among(("ZUSD",))),
        Rule(approvals=1, delay_hours=24, amount=Decimal(50)),
        Rule(groups=(GroupApprovals(BOARD, 1),), amount=Decimal(500)),
    )
    found = counted([payment(1), payment(2, asset="ZUSD"), payment(3, 50), payment(4, 500)], after, before)
    assert {each: [number for number, _ in rows] for each, rows in found.found.items()} == {
        Difference.FEWER: [1, 3],
        Difference.DENIED: [2],
        Difference.DELAYED: [3, 4],
        # One of the Board, which nobody is in.
        Difference.MORE: [4],
        Difference.STUCK: [4],
    }


def test_the_other_way_round_it_is_allowed_sooner_and_can_be_finished():
    before = policy(Rule(deny=True, assets=Among(("ZUSD",))), Rule(approvals=4, delay_hours=2))
    found = counted([payment(1), payment(2, asset="ZUSD")], PLAIN, before)
    assert found.counts == {
        Difference.FEWER: 1,
        Difference.SOONER: 1,
        Difference.FREED: 1,
        Difference.ALLOWED: 1,
    }


def test_who_asked_is_not_among_those_who_could_approve():
    approvers = Facts("any", {1: "Main"}, (person(2), person(3)))
    two = policy(Rule(approvals=2))
    assert counted([payment(1, initiator="member:2")], two, facts=approvers).counts[Difference.STUCK] == 1
    assert counted([payment(1, initiator="member:9")], two, facts=approvers).counts[Difference.STUCK] == 0


def test_custodians_of_the_key_that_asked_are_not_either():
    bot = Bot(5, "bot", 1, permissions=frozenset({"withdraw-funds"}), keys=(Key(1, frozenset({2})),))
    facts = replace(FACTS, bots=(bot,))
    three = policy(Rule(approvals=3))
    assert counted([payment(1, initiator="service_user:5")], three, facts=facts).counts[Difference.STUCK] == 1
    assert counted([payment(1, initiator="service_user:6")], three, facts=facts).counts[Difference.STUCK] == 0


def test_no_policy_lets_a_key_send_at_once():
    found = counted([payment(1, initiator="service_user:5")], PLAIN, before=None)
    assert found.grown == {Grown(None, 1): 1}


def test_what_waited_is_asked_again_when_it_is_executed():
    """Alone it was below the sum; by its execution another one had left."""
    day = policy(Rule(approvals=1), Rule(approvals=2, sums=(AtLeast(SumOf(), Decimal(100)),)))
    waited = payment(1, 60, took=3)
    found = counted([waited, payment(2, 60, hours=1)], day)
    assert [number for number, _ in found.found[Difference.MORE]] == [1, 2]
    # Given back before, the first leaves nothing in the sum of the second.
    found = counted([payment(1, 60, released=1), payment(2, 60, hours=1)], day)
    assert found.counts == {}


def test_the_age_of_the_destination_is_that_of_the_moment():
    young = AtLeast(SumOf(), Decimal(100))
    rules = policy(Rule(approvals=1), Rule(approvals=2, sums=(young,), younger_hours=24))
    old_by_then = [payment(1, 60, took=30, age_hours=1.0), payment(2, 60, hours=20, took=None)]
    assert counted(old_by_then, rules).counts == {}
    still_young = [payment(1, 60, took=22, age_hours=1.0), payment(2, 60, hours=20, took=None)]
    assert [number for number, _ in counted(still_young, rules).found[Difference.MORE]] == [1]


def test_what_has_no_price_counts_as_infinite_and_leaves_the_sum_again():
    sums = AtLeast(SumOf((Scope.ASSET,), Window.HOUR), Decimal(100))
    rules = policy(Rule(approvals=1), Rule(approvals=2, sums=(sums,)))
    asked = [
        payment(1, INFINITE, asset="A"),
        payment(2, asset="B"),
        payment(3, asset="A"),
        payment(4, hours=2, asset="A"),
    ]
    assert [number for number, _ in counted(asked, rules).found[Difference.MORE]] == [1, 3]


def test_what_was_asked_before_the_days_looked_at_counts_in_sums_alone():
    day = policy(Rule(approvals=1), Rule(approvals=2, sums=(AtLeast(SumOf(), Decimal(100)),)))
    asked = [payment(1, 60), payment(2, 60, hours=5)]
    found = counted(asked, day, since=START + 2 * HOUR)
    assert found.total == 1
    assert [number for number, _ in found.found[Difference.MORE]] == [2]


def test_of_each_difference_the_first_are_kept_and_all_are_counted(monkeypatch):
    monkeypatch.setattr(comparison, "KEPT", 2)
    found = counted([payment(number) for number in range(5)], policy(Rule(approvals=2)))
    assert found.counts[Difference.MORE] == 5
    assert [number for number, _ in found.found[Difference.MORE]] == [0, 1]


def test_a_policy_that_cannot_be_read_is_no_answer():
    with pytest.raises(Refused):
        counted([payment(1)], replace(PLAIN, rules=None))


def test_it_says_how_far_it_is():
    seen: list[int] = []
    compare([payment(1), payment(2)], FACTS, PLAIN, PLAIN, since=START, passed=seen.append)
    assert seen == [1, 2]
