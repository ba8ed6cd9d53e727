"""Why a rule does not match, in words; and never a word about one that does."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.rule_words import Names
from policies.rules.language import INFINITE, Among, AtLeast, Rule, Scope, Situation, SumOf, Window
from policies.simulator.conditions import first_failed
from tests.policies.replay.history import ACCOUNTS, ASKERS, ASSETS, PLACES, VALUES, rules

NAMES = Names(
    currency="EUR",
    accounts={"1": "Main"},
    assets={"XXBT": "BTC"},
    destinations={"cold": "btc-cold"},
    initiators={"member:1": "Ana", "service_user:1": "bot (service user)"},
)
PAID = Situation(
    value=Decimal(100),
    sums={SumOf(): Decimal(300), SumOf((Scope.DESTINATION,), Window.WEEK): Decimal(200)},
    asset="XXBT",
    account="1",
    destination="cold",
    age_hours=48.0,
    initiator="member:1",
)


@st.composite
def asked(draw):
    """A rule, and a withdrawal of which all sums are known that it looks at."""
    rule = draw(rules())
    value = draw(VALUES)
    more = {each: draw(VALUES) for each in sorted(rule.all_sums())}
    return rule, Situation(
        value=value,
        sums={each: value + other for each, other in more.items()},
        asset=draw(st.sampled_from(ASSETS)),
        account=draw(st.sampled_from(ACCOUNTS)),
        destination=draw(st.sampled_from(PLACES)),
        age_hours=draw(st.sampled_from([0.0, 1.0, 23.5, 24.0, 600.0])),
        initiator=draw(st.sampled_from([asker for asker in ASKERS if asker])),
    )


@pytest.mark.slow
@settings(max_examples=400)
@given(asked())
def test_it_names_a_condition_just_where_the_rule_does_not_match(found):
    rule, situation = found
    assert (first_failed(rule, situation, NAMES) == "") is situation.meets(rule)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(approvals=1, amount=Decimal(500)), "It is below 500 EUR"),
        (
            Rule(approvals=1, amount=Decimal(500), with_day_sum=True),
            "It is below 500 EUR, also with all that leaves within 24 hours",
        ),
        (Rule(approvals=1, amount=Decimal(300), with_day_sum=True), ""),
        (
            Rule(approvals=1, sums=(AtLeast(SumOf((Scope.DESTINATION,), Window.WEEK), Decimal(201)),)),
            "All that leaves within 7 days to the same destination is below 201 EUR",
        ),
        # A sum that nobody has looked up counts as infinite.
        (Rule(approvals=1, sums=(AtLeast(SumOf(window=Window.HOUR), Decimal(500)),)), ""),
        (Rule(approvals=1, assets=Among(("ZUSD",))), "BTC is none of the assets that it names"),
        (Rule(approvals=1, accounts=Among(("1",), outside=True)), "Main is one of the Accounts that it leaves out"),
        (Rule(approvals=1, destinations=Among(("bank",))), "btc-cold is none of the addresses that it names"),
        (Rule(approvals=1, younger_hours=48), "The address has been in the book for 48 hours or longer"),
        (Rule(approvals=1, asked_by="key"), "A member asks, and it is about who asks as a key"),
        (Rule(approvals=1, initiators=Among(("member:2",))), "Ana is none of the initiators that it names"),
        (Rule(approvals=1, amount=Decimal(500), assets=Among(("ZUSD",))), "It is below 500 EUR"),
        (Rule(approvals=1), ""),
    ],
)
def test_the_first_condition_that_fails_is_said(rule, words):
    assert first_failed(rule, PAID, NAMES) == words


def test_without_a_price_it_is_below_nothing():
    unknown = Situation(value=INFINITE, sums={SumOf(): INFINITE})
    assert first_failed(Rule(approvals=1, amount=Decimal(10**15), with_day_sum=True), unknown, NAMES) == ""


def test_an_address_that_is_in_no_book_is_called_so():
    rule = Rule(approvals=1, destinations=Among(("cold",)))
    said = first_failed(rule, Situation(destination=""), NAMES)
    assert said == "An address that is not in the book is none of the addresses that it names"
