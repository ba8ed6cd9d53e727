"""What the clock pays and gives back, also where little was earned or the balance can take no more."""

from decimal import Decimal

import pytest

from portal.venues.paper import funding, reconciliation
from portal.venues.paper.earn.models import Holding, Move, Reward
from portal.venues.paper.earn.strategies import STRATEGIES
from tests.venues.conftest import START, pay_in
from tests.venues.ordering import VENUE, has, place

FLEXIBLE = next(one for one in STRATEGIES if one.asset.code == "USD")
DAY = 86400
MIDNIGHT = DAY // 2
MOST = 2**63 - 1


@pytest.fixture
def saver(empty, clock, settings):
    """Ten thousand dollars of which one thousand are lent, at noon; a bitcoin costs 64000."""
    settings.PAPER_PRICES = "still"
    clock(0)
    pay_in(empty, "10000", "USD")
    VENUE.allocate(empty.pk, FLEXIBLE.id, Decimal(1000))
    return empty


@pytest.fixture(autouse=True)
def _adds_up(db):
    yield
    assert list(reconciliation.differences()) == []


def fill_up(account) -> None:
    """Pay in what makes the balance in dollars as large as one can be."""
    (free,) = [row.units for row in VENUE.balances(account.pk) if row.asset == FLEXIBLE.asset]
    funding.deposit(account.pk, "USD", Decimal(MOST - free).scaleb(-4), reference="all")


def test_what_the_balance_cannot_take_back_comes_a_day_later(saver, clock):
    """It must not stop the clock of everything else in the Account."""
    clock(10)
    VENUE.deallocate(saver.pk, FLEXIBLE.id, Decimal(1000))
    fill_up(saver)
    pay_in(saver, "1", "ETH")
    clock(60)

    assert has(saver) == {"USD": (Decimal(MOST).scaleb(-4), 0), "ETH": (1, 0)}
    assert Move.objects.get(operation="deallocate").returned is None
    place(saver, "buy", "1")
    left = has(saver)["USD"][0]
    clock(DAY + 11)
    assert has(saver)["USD"][0] == left
    clock(DAY + 12)
    assert has(saver)["USD"][0] >= left + 1000
    assert Holding.objects.get().due_at is None


def test_a_payout_that_the_balance_cannot_take_is_still_owed_at_the_next(saver, clock):
    fill_up(saver)
    clock(MIDNIGHT)
    assert has(saver)["USD"] == (Decimal(MOST).scaleb(-4), 0)
    assert not Reward.objects.exists()

    place(saver, "buy", "1")
    clock(MIDNIGHT + DAY)
    VENUE.balances(saver.pk)

    # From two seconds after noon on: 1000 * 3.5 % * 129598 s / 365 days, rounded down once.
    assert Reward.objects.get().units == 1438


def test_what_is_less_than_the_smallest_unit_is_paid_once_it_is_one(empty, clock):
    """A dollar earns 0.95 of a hundredth of a cent a day: nothing on the first midnight, one of them on the second."""
    clock(0)
    pay_in(empty, "1", "USD")
    VENUE.allocate(empty.pk, FLEXIBLE.id, Decimal(1))
    paid = []
    for day in range(3):
        clock(MIDNIGHT + day * DAY)
        VENUE.balances(empty.pk)
        paid.append(list(Reward.objects.values_list("units", flat=True)))

    assert paid == [[], [1], [1, 1]]
    assert Holding.objects.get().paid_until > START
