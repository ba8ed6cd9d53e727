"""The trading counter of an Account and pair (reference §5)."""

import pytest

from accounts.models.organization import ApiTier
from portal.venues.errors import TooFast, TooManyOrders
from portal.venues.paper.orders.models import TradingCounter
from portal.venues.paper.orders.trading_counter import LIMITS
from tests.venues.conftest import pay_in
from tests.venues.ordering import VENUE, place


@pytest.fixture
def trader(empty, settings, clock):
    settings.PAPER_PRICES = "still"
    clock(0)
    pay_in(empty, "100000", "USD")
    return empty


def counted(account, pair="XXBTZUSD"):
    return TradingCounter.objects.get(account=account, pair=pair).thousandths / 1000


def set_tier(account, tier):
    account.organization.api_tier = tier
    account.organization.save()


@pytest.mark.parametrize(
    ("age", "added"), [(0, 8), (4, 8), (5, 6), (9, 6), (10, 5), (15, 4), (45, 2), (90, 1), (299, 1), (300, 0)]
)
def test_an_early_cancel_adds_more(trader, clock, age, added):
    set_tier(trader, ApiTier.STARTER)
    row = place(trader, "buy", "0.0001", "50000")
    clock(age)
    VENUE.cancel_orders(trader.pk, order_id=row.id)
    assert counted(trader) == max(0, 1 - age) + added or added == 0


def test_it_decays_by_the_second(trader, clock):
    for _ in range(10):
        place(trader, "buy", "0.0001", "50000")
    assert counted(trader) == 10
    clock(2)
    place(trader, "buy", "0.0001", "50000")
    assert counted(trader) == 10 - 2 * 3.75 + 1


def test_over_the_threshold_orders_are_refused_and_cancels_are_not(trader, clock):
    set_tier(trader, ApiTier.STARTER)
    row = place(trader, "buy", "0.0001", "50000")
    TradingCounter.objects.update(thousandths=59_500)
    with pytest.raises(TooFast):
        place(trader, "buy", "0.0001", "50000")
    assert counted(trader) == 59.5
    place(trader, "buy", "0.001", "3000", pair="ETHUSD")
    assert VENUE.cancel_orders(trader.pk, order_id=row.id) == 1
    assert counted(trader) == 67.5
    clock(9)
    place(trader, "buy", "0.0001", "50000")


def test_a_validated_or_refused_order_is_not_counted(trader):
    place(trader, "buy", "0.0001", "50000", only_validate=True)
    assert not TradingCounter.objects.exists()


@pytest.mark.parametrize("is_everybody", [True, False])
def test_an_installations_own_bots_can_be_let_loose(trader, settings, is_everybody):
    if is_everybody:
        settings.API_LIMITS = False
    else:
        set_tier(trader, ApiTier.OFF)
    row = place(trader, "buy", "0.0001", "50000")
    VENUE.cancel_orders(trader.pk, order_id=row.id)
    assert not TradingCounter.objects.exists()


def test_open_orders_in_one_pair_are_capped(trader, monkeypatch):
    monkeypatch.setitem(LIMITS, ApiTier.PRO, LIMITS[ApiTier.PRO].__class__(180_000, 3750, 2))
    for _ in range(2):
        place(trader, "buy", "0.0001", "50000")
    with pytest.raises(TooManyOrders):
        place(trader, "buy", "0.0001", "50000")
    place(trader, "buy", "0.001", "3000", pair="ETHUSD")
    VENUE.cancel_all_orders(trader.pk)
    place(trader, "buy", "0.0001", "50000")
