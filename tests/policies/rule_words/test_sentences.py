"""Rules as people read them (DESIGN R7, P7)."""

from decimal import Decimal

import pytest

from policies.rule_words import Names, condition_words, demand_words, sentence
from policies.rules.language import (
    INFINITE,
    Among,
    AtLeast,
    Demand,
    GroupApprovals,
    Rule,
    Scope,
    SumOf,
    Window,
)

FINANCE, BOARD = 1, 2
NAMES = Names(
    currency="EUR",
    groups={FINANCE: "Finance", BOARD: "Board"},
    accounts={"1": "Main", "2": "Trading"},
    destinations={"bc1q": "btc-cold"} | {f"x{place}": f"venue-{place}" for place in range(5)},
    initiators={"member:3": "Ana", "service_user:4": "treasury-bot (service user)"},
)
TWO_AND_ONE = (GroupApprovals(FINANCE, 2), GroupApprovals(BOARD, 1))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Rule(approvals=1), "Whatever is asked: 1 approval, also from members with Execute."),
        (Rule(approvals=2, always=False), "Whatever is asked: 2 approvals, unless a member with Execute asks."),
        (
            Rule(groups=TWO_AND_ONE, amount=Decimal(100000), with_day_sum=True),
            (
                "When 100,000 EUR or more leaves, alone or together with everything of the last 24 hours: "
                "2 approvals of Finance and 1 of Board, also from members with Execute."
            ),
        ),
        (
            Rule(deny=True, destinations=Among(("bc1q",)), younger_hours=24),
            (
                "When money leaves to btc-cold, to an address that has been in the book for less than 24 hours: "
                "denied, also to members with Execute."
            ),
        ),
        (
            Rule(approvals=1, delay_hours=1, assets=Among(("BTC", "ETH")), asked_by="key", always=False),
            (
                "When money leaves in BTC or ETH, asked by a key: 1 approval, then a delay of 1 hour, "
                "unless a member with Execute asks."
            ),
        ),
        (
            Rule(
                approvals=1,
                sums=(AtLeast(SumOf((Scope.ASSET, Scope.DESTINATION), Window.WEEK), Decimal("5000.5")),),
                accounts=Among(("2",), outside=True),
                initiators=Among(("member:3", "service_user:4")),
            ),
            (
                "When money leaves from any Account but Trading, asked by Ana or treasury-bot (service user) and all "
                "that leaves within 7 days in the same asset to the same destination reaches 5,000.5 EUR: 1 approval, "
                "also from members with Execute."
            ),
        ),
        (
            Rule(approvals=1, sums=(AtLeast(SumOf(), Decimal(900)),)),
            "When all that leaves within 24 hours reaches 900 EUR: 1 approval, also from members with Execute.",
        ),
    ],
)
def test_a_rule_is_one_plain_sentence(rule, said):
    assert sentence(rule, NAMES) == said


def test_a_long_list_is_shortened_after_three_and_counts_the_others():
    five = Among(tuple(f"x{place}" for place in range(5)))
    assert condition_words(Rule(destinations=five), NAMES) == (
        "When money leaves to venue-0, venue-1, venue-2 or 2 others"
    )
    four = Among(tuple(f"x{place}" for place in range(4)), outside=True)
    assert condition_words(Rule(destinations=four), NAMES) == (
        "When money leaves to any address but venue-0, venue-1, venue-2 and 1 other"
    )


@pytest.mark.parametrize(
    ("demand", "said"),
    [
        (Demand(), "no approval"),
        (Demand(2), "2 approvals"),
        (Demand(2, ((FINANCE, 2), (BOARD, 1))), "2 approvals of Finance and 1 of Board"),
        (Demand(3, ((FINANCE, 2), (BOARD, 1))), "3 approvals, among them 2 of Finance and 1 of Board"),
        (Demand(1, delay_hours=24), "1 approval, then a delay of 24 hours"),
        (Demand(delay_hours=24), "a delay of 24 hours"),
        (Demand(2, is_denied=True), "denied"),
    ],
)
def test_what_is_asked_is_said_with_what_it_takes_of_each_group(demand, said):
    """One yes counts in each group of that person, so a number of all is said only where it asks for more."""
    assert demand_words(demand, NAMES) == said


def test_what_is_gone_is_named_all_the_same():
    """A list keeps an address that left the book, and a group that was removed says so."""
    gone = Rule(groups=(GroupApprovals(9, 1),), destinations=Among(("3J98",)), accounts=Among(("7",)))
    assert sentence(gone, NAMES) == (
        "When money leaves from an Account that is gone, to 3J98: 1 approval of a group that is gone, "
        "also from members with Execute."
    )


def test_an_amount_without_a_price_is_said_in_words():
    assert condition_words(Rule(amount=INFINITE), NAMES) == "When money leaves of which nobody knows the price"
