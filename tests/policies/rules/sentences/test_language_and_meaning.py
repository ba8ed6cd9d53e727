"""The reference of rules (DESIGN P7), sentence by sentence: language and meaning."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise, permutations

import pytest

from policies.rules import Asked, Need, Terms, is_met, still_needed
from policies.rules.language import (
    INFINITE,
    MEMBER,
    NOTHING,
    Among,
    AtLeast,
    Demand,
    GroupApprovals,
    Rule,
    Scope,
    Situation,
    SumOf,
    Window,
    demand,
    initiator_id,
    plain_rule,
)
from tests.policies.rules.sentences.house import ANA, ASKER, BOARD, FINANCE, KEY, LARGE, MONEY, SMALL, payment, someone

# Language


def test_a_policy_is_a_set_of_rules():
    assert demand((SMALL, LARGE, LARGE), payment(100)) == demand((LARGE, SMALL), payment(100)) == Demand.of(LARGE)
    assert Terms(MONEY, 2, True, 72, rules=(SMALL, LARGE)).rule_set == (SMALL, LARGE)


def test_a_rule_matches_where_all_conditions_hold_that_are_given():
    rule = Rule(approvals=1, amount=Decimal(10), assets=Among(("BTC",)), younger_hours=24)
    assert payment(10, age_hours=1).meets(rule)
    assert not payment(9, age_hours=1).meets(rule)
    assert not payment(10, age_hours=1, asset="ETH").meets(rule)
    assert not payment(10, age_hours=24).meets(rule)
    assert payment().meets(Rule(approvals=1))


@pytest.mark.parametrize(
    ("condition", "met", "missed"),
    [
        ({"amount": Decimal(10)}, {"value": 10}, {"value": 9}),
        ({"sums": (AtLeast(SumOf((), Window.DAY), Decimal(10)),)}, {"value": 10}, {"value": 9}),
        ({"assets": Among(("BTC",))}, {}, {"asset": "ETH"}),
        ({"accounts": Among(("1",))}, {}, {"account": "2"}),
        ({"destinations": Among(("here",))}, {}, {"destination": "there"}),
        ({"destinations": Among(("here",), outside=True)}, {"destination": "there"}, {}),
        ({"younger_hours": 24}, {"age_hours": 23.9}, {"age_hours": 24}),
        ({"asked_by": "member"}, {}, {"initiator": KEY}),
        ({"asked_by": "key"}, {"initiator": KEY}, {}),
        ({"initiators": Among((ANA,))}, {}, {"initiator": initiator_id(MEMBER, 2)}),
    ],
)
def test_each_condition_holds_just_where_it_says(condition, met, missed):
    rule = Rule(approvals=1, **condition)
    assert payment(**met).meets(rule)
    assert not payment(**missed).meets(rule)


def test_what_is_asked_is_any_of_approvals_of_groups_deny_and_a_delay():
    rule = Rule(approvals=1, groups=(GroupApprovals(FINANCE, 2), GroupApprovals(BOARD, 1)), delay_hours=24)
    assert demand((rule,), payment()) == Demand(1, ((FINANCE, 2), (BOARD, 1)), False, 24)
    assert demand((Rule(deny=True),), payment()) == Demand(is_denied=True)


def test_a_sum_is_by_any_of_four_things_over_one_of_four_windows():
    assert {each.value for each in Scope} == {"asset", "account", "destination", "initiator"}
    assert [each.value for each in Window] == ["1h", "24h", "7d", "30d"]
    assert [each.length.total_seconds() / 3600 for each in Window] == [1, 24, 168, 720]


def test_an_amount_without_a_price_counts_as_infinite():
    most = Rule(approvals=1, amount=Decimal(10) ** 15, sums=(AtLeast(SumOf(), Decimal(10) ** 15),))
    assert Situation().value == INFINITE
    assert Situation().meets(most)


def test_more_money_never_meets_fewer_rules():
    tiers = tuple(Rule(approvals=1, amount=Decimal(amount)) for amount in (1, 5, 10))
    met = [sum(payment(value).meets(rule) for rule in tiers) for value in (0, 1, 4, 5, 9, 10, 99)]
    assert met == sorted(met) == [0, 1, 1, 2, 2, 3, 3]


def test_the_plain_policy_is_the_one_rule_without_a_condition():
    assert Terms(MONEY, 2, True, 72).rule_set == (plain_rule(2, always=True),) == (Rule(approvals=2),)


def test_always_says_rule_by_rule_whether_execute_is_bound():
    rules = (replace(SMALL, always=False), LARGE)
    assert demand(rules, payment(1), executes=True) == NOTHING
    assert demand(rules, payment(100), executes=True) == Demand.of(LARGE)
    assert demand(rules, payment(1)) == Demand.of(SMALL)


def test_a_tier_brings_its_sum_over_a_day_along_unless_it_is_unticked():
    tier = Rule(approvals=2, amount=Decimal(100), with_day_sum=True)
    split = payment(40, sums={SumOf(): Decimal(120)})
    assert split.meets(tier)
    assert not split.meets(replace(tier, with_day_sum=False))
    assert tier.all_sums() == {SumOf((), Window.DAY)}


# Meaning


def test_what_is_asked_is_compared_point_by_point():
    assert Demand(1) <= Demand(1, ((FINANCE, 1),))
    assert not Demand(2) <= Demand(1, ((FINANCE, 3),), True, 99)
    assert not Demand(is_denied=True) <= Demand(20)
    assert not Demand(delay_hours=2) <= Demand(delay_hours=1)


def test_the_join_takes_the_larger_of_each():
    one, other = Demand(1, ((FINANCE, 2),), False, 24), Demand(2, ((FINANCE, 1), (BOARD, 1)), True, 1)
    assert one | other == other | one == Demand(2, ((FINANCE, 2), (BOARD, 1)), True, 24)


def test_everything_is_asked_that_rules_ask_whose_condition_holds():
    rules = (SMALL, LARGE, Rule(delay_hours=24, approvals=1, assets=Among(("ETH",))))
    assert demand(rules, payment(100)) == Demand(2, ((FINANCE, 2),))
    assert demand(rules, payment(100, asset="ETH")) == Demand(2, ((FINANCE, 2),), False, 24)


def test_people_satisfy_it_if_it_is_not_denied_and_enough_of_each_group_are_among_them():
    asked = Asked(MONEY, ASKER, 1)
    need = Need(2, groups=((FINANCE, 1),))
    in_finance, outside = someone(2, groups=(FINANCE,)), someone(3)
    assert is_met(need, (in_finance, outside), asked)
    assert not is_met(need, (in_finance,), asked)
    assert not is_met(need, (outside, someone(4)), asked)
    assert not is_met(replace(need, is_denied=True), (in_finance, outside), asked)


def test_one_yes_counts_in_each_group_of_that_person():
    need = Need(0, groups=((FINANCE, 1), (BOARD, 1)))
    assert is_met(need, (someone(2, groups=(FINANCE, BOARD)),), Asked(MONEY, ASKER, 1))


def test_required_is_what_was_asked_at_opening_joined_with_what_is_asked_now():
    now = Need(1, groups=((BOARD, 1),))
    assert still_needed(Demand(2, ((FINANCE, 1),)), now) == Need(2, groups=((FINANCE, 1), (BOARD, 1)))


def test_the_order_of_rules_does_not_matter():
    rules = (SMALL, LARGE, Rule(deny=True, amount=Decimal(50)))
    assert {demand(each, payment(100)) for each in permutations(rules)} == {Demand(2, ((FINANCE, 2),), True)}


def test_more_rules_never_ask_less():
    assert all(demand((SMALL,), payment(v)) <= demand((SMALL, LARGE), payment(v)) for v in (1, 100))


def test_more_money_never_asks_less():
    rules = (SMALL, LARGE, Rule(deny=True, amount=Decimal(500)))
    asked = [demand(rules, payment(value)) for value in (1, 99, 100, 499, 500)]
    assert all(less <= more for less, more in pairwise(asked))
