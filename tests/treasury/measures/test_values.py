"""What an amount is worth to rules: in the Organization's currency, rounded up, and infinite where nobody knows."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from policies.rules.language import INFINITE
from portal.core.clocks import SKEW
from portal.treasury.measures.values import (
    FRESH,
    MOST_HUNDREDTHS,
    hundredths_of,
    in_currency,
    is_fresh,
    kept,
    value_of,
)
from portal.venues.registry import venue
from portal.venues.types import Priced

PAPER = venue("paper")


@pytest.fixture(autouse=True)
def _still(settings):
    settings.PAPER_PRICES = "still"


@pytest.mark.parametrize(
    ("asset", "amount", "currency", "value"),
    [
        ("XXBT", "1", "USD", "64000"),
        ("XXBT", "0.00000001", "USD", "0.01"),
        ("XXBT", "0.00000016", "USD", "0.02"),
        ("ZUSD", "480000.005", "USD", "480000.01"),
        ("ZEUR", "100", "USD", "108.5"),
        ("SOL", "1500", "EUR", "207360"),
    ],
)
def test_a_value_is_rounded_up_to_hundredths(asset, amount, currency, value):
    assert value_of(PAPER, 1, asset, Decimal(amount), currency) == Decimal(value)


@pytest.mark.parametrize(("asset", "currency"), [("XXBT", "GBP"), ("XXBT", "JPY"), ("NIX", "USD")])
def test_without_a_price_it_is_infinite(asset, currency):
    """A currency that nothing trades in, and an asset that nobody knows."""
    assert value_of(PAPER, 1, asset, Decimal(1), currency) == INFINITE
    assert hundredths_of(PAPER, 1, asset, Decimal(1), currency) is None


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_amount_is_infinite(amount):
    assert value_of(PAPER, 1, "XXBT", Decimal(amount), "USD") == INFINITE


def test_what_trades_through_dollars_alone_goes_through_dollars():
    """Nothing trades between SOL and USDC; and dollars are worth bitcoin the other way round."""
    through, back = PAPER.price(1, "SOL", "USDC"), PAPER.price(1, "ZUSD", "XXBT")
    assert through is not None
    assert back is not None
    assert (through.worth, back.worth) == (Fraction(150), Fraction(1, 64000))


def test_a_price_counts_for_fifteen_minutes():
    now = timezone.now()
    assert is_fresh(Priced(Fraction(1), now - FRESH), now)
    assert not is_fresh(Priced(Fraction(1), now - FRESH - timedelta(seconds=1)), now)
    assert timedelta(minutes=15) == FRESH


def test_a_price_of_later_counts_no_more_than_none():
    now = timezone.now()
    assert is_fresh(Priced(Fraction(1), now + SKEW), now)
    assert not is_fresh(Priced(Fraction(1), now + SKEW + timedelta(seconds=1)), now)


@given(hundredths=st.integers(0, 10**25))
def test_what_is_kept_is_never_below_what_a_rule_can_name(hundredths):
    """A signed 64-bit column holds it, and no threshold lies between what is kept and what it was."""
    found = kept(hundredths)
    assert found is not None
    assert found <= hundredths
    assert found == hundredths or in_currency(found) == Decimal(10**15) == in_currency(MOST_HUNDREDTHS)
    assert kept(None) is None


@given(more=st.decimals("0.00000001", "1000", places=8), less=st.decimals("0.00000001", "1000", places=8))
def test_more_is_never_worth_less(more, less):
    less, more = sorted((less, more))
    assert value_of(PAPER, 1, "XXBT", less, "USD") <= value_of(PAPER, 1, "XXBT", more, "USD")
    together = value_of(PAPER, 1, "XXBT", less, "USD") + value_of(PAPER, 1, "XXBT", more, "USD")
    assert value_of(PAPER, 1, "XXBT", less + more, "USD") <= together
