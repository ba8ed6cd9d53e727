"""What is typed into the simulator and cannot be meant."""

import pytest

from tests.policies.simulator.conftest import simulated

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "-5"}, "amount"),
        ({"amount": "1e9"}, "amount"),
        ({"amount": "9" * 30}, "amount"),
        ({"amount": "9" * 60}, "amount"),
        ({"amount": ""}, "amount"),
        ({"who": "member:999999"}, "who"),
        ({"who": ""}, "who"),
        ({"account": "999999"}, "account"),
        ({"account": "x"}, "account"),
        ({"asset": "DOGE"}, "asset"),
        ({"to": "no-such-address"}, "to"),
        ({"to": "usd\u202ebank"}, "to"),
        ({"to": "x" * 65}, "to"),
    ],
)
def test_what_cannot_be_meant_stands_beside_its_field(world, audit, tiers, browser, typed, said):
    text = simulated(browser(audit), world, **typed)
    assert 'id="answer"' not in text
    assert f'href="#id_{said}"' in text


def test_what_was_typed_is_not_lost(world, audit, tiers, browser):
    text = simulated(browser(audit), world, amount="12x")
    assert 'value="12x"' in text
    assert 'value="usd-bank"' in text


def test_the_largest_amount_that_can_be_typed_is_answered(world, audit, tiers, browser):
    text = simulated(browser(audit), world, amount="9" * 20)
    assert "Board" in text
