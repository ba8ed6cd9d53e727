"""What comes of rules, as the review of a draft and the request say it (DESIGN P7)."""

from dataclasses import replace
from decimal import Decimal

from policies.rule_words import Names
from policies.rule_words.effects import Case, effects
from policies.rules.language import AtLeast, GroupApprovals, Rule, Scope, SumOf, Window, plain_rule

NAMES = Names(currency="EUR", groups={1: "Board"})
ONE = plain_rule(1, always=True)
TIER = Rule(approvals=2, amount=Decimal(100000))


def test_what_gets_weaker_is_said_with_the_least_case_of_it():
    found = effects((ONE, TIER), (ONE, replace(TIER, amount=Decimal(200000))), NAMES)
    assert found.weaker == (Case("When 100,000 EUR or more leaves", "2 approvals", "1 approval"),)
    assert found.stricter == ()


def test_whom_it_concerns_is_said_where_it_is_not_everybody():
    found = effects((ONE,), (replace(ONE, always=False),), NAMES)
    assert found.weaker == (Case("Whatever is asked (for members with Execute)", "1 approval", "no approval"),)


def test_a_rule_whose_outcome_others_ask_already_is_idle():
    found = effects((ONE,), (replace(ONE, approvals=2), TIER), NAMES)
    assert found.idle == ("When 100,000 EUR or more leaves: 2 approvals, also from members with Execute.",)
    assert found.stricter[0].after == "2 approvals"


def test_what_leaks_below_a_tier_is_said_in_its_own_words():
    """Splitting: a payment, a window, and a scope that several of a kind get round."""
    board = Rule(groups=(GroupApprovals(1, 1),), amount=Decimal(100000))
    assert effects((), (ONE, board), NAMES).leaks == (
        "Below 100,000 EUR in each single payment, and any number of them, leaves without 1 approval of Board.",
    )
    summed = Rule(deny=True, sums=(AtLeast(SumOf((Scope.DESTINATION,), Window.DAY), Decimal(5000)),))
    assert effects((), (ONE, summed), NAMES).leaks == (
        (
            "Below 5,000 EUR within 24 hours to each destination leaves without being denied. "
            "By several destinations more does."
        ),
    )


def test_many_cases_are_counted():
    before = tuple(Rule(approvals=2 + place, amount=Decimal(1000 + place), asked_by="key") for place in range(25))
    found = effects(before, (ONE,), NAMES)
    assert (len(found.weaker), found.more_weaker) == (20, 5)
