"""What the tests of orders share."""

import pytest

from portal.venues.paper import reconciliation
from tests.venues.conftest import pay_in

FLAT = (0, "XBT/USD", "60000")


@pytest.fixture
def trader(empty, prices, clock):
    """An Account with a hundred thousand dollars and one bitcoin, at 60000."""
    prices(FLAT)
    clock(0)
    pay_in(empty, "100000", "USD")
    pay_in(empty, "1")
    return empty


@pytest.fixture
def adds_up(db):
    """At the end, what Accounts have and hold is what their entries and orders say."""
    yield
    assert list(reconciliation.differences()) == []
