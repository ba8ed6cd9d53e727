"""Adding the paper exchange up again finds what somebody changed behind the portal's back, and says where."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from portal.venues.paper import reconciliation
from portal.venues.paper.earn.models import Move, Reward
from portal.venues.paper.earn.strategies import STRATEGIES
from portal.venues.paper.ledger.models import Book, Entry, Posting
from portal.venues.paper.orders.models import Order, Trade, TradedDay
from tests.venues.conftest import START, open_account, pay_in
from tests.venues.ordering import VENUE, place

FLEXIBLE = next(one for one in STRATEGIES if one.asset.code == "USD")
DAY = 86400


@pytest.fixture
def half(funded) -> Entry:
    """An Entry that was never sealed, so that legs can still be added to it."""
    return Entry.objects.create(kind="deposit", reference="half", at=timezone.now())


@pytest.fixture
def trader(empty, prices, clock):
    """Bought a tenth of a bitcoin for 6000 dollars, and has an order open that buys another one."""
    prices((0, "XBT/USD", "60000"))
    clock(0)
    pay_in(empty, "100000", "USD")
    place(empty, "buy", "0.1")
    place(empty, "buy", "0.1", "50000")
    assert found() == []
    return empty


@pytest.fixture
def saver(empty, clock):
    """Lent a thousand dollars, was paid for it, and took back half."""
    clock(0)
    pay_in(empty, "10000", "USD")
    VENUE.allocate(empty.pk, FLEXIBLE.id, Decimal(1000))
    clock(DAY)
    VENUE.deallocate(empty.pk, FLEXIBLE.id, Decimal(500))
    clock(DAY + 60)
    VENUE.balances(empty.pk)
    assert found() == []
    return empty


def found() -> list[str]:
    return list(reconciliation.differences())


def test_legs_that_move_something_out_of_nowhere_are_found(half):
    Posting.objects.create(entry=half, book=Book.OUTSIDE, asset="XXBT", units=5, at=half.at)

    assert f"Entry {half.pk}: its legs in XXBT sum to 5, not to zero." in found()


def test_a_leg_that_says_a_wrong_balance_is_found(half, funded):
    Posting.objects.create(
        entry=half, book=Book.ACCOUNT, account=funded, asset="XXBT", units=5, at=half.at, ledger_id="L", balance_units=7
    )

    assert f"L says it left 7; added up it is {10**11 + 5}." in found()


def test_an_order_that_says_more_than_its_trades_is_found(trader):
    order = Order.objects.get(status="closed")
    Order.objects.filter(pk=order.pk).update(fee_units=0)

    (difference,) = found()
    assert difference.startswith(f"Order {order}: ")
    assert str((order.filled_units, order.cost_units, 0)) in difference
    assert difference.endswith(f"add up to {(order.filled_units, order.cost_units, order.fee_units)}.")


def test_an_order_closed_before_it_was_filled_is_found(trader):
    order = Order.objects.get(status="closed")
    Order.objects.filter(pk=order.pk).update(volume_units=order.volume_units + 3)

    assert found() == [f"Order {order} is closed with 3 left."]


def test_an_order_that_closed_before_it_opened_is_found(trader):
    order = Order.objects.get(status="closed")
    assert order.closed_at is not None
    Order.objects.filter(pk=order.pk).update(opened_at=order.closed_at + timedelta(microseconds=1))

    assert found() == [f"Order {order} closed before it opened."]


def test_an_order_that_holds_too_little_is_found_with_the_balance_that_does(trader):
    order = Order.objects.get(status="open")
    Order.objects.filter(pk=order.pk).update(held_units=1)

    assert f"Order {order} holds 1; what is left of it needs {order.held_units}." in found()
    assert any(f"Account {trader.pk}, ZUSD, held by orders: " in difference for difference in found())


def test_a_trade_of_somebody_else_is_found(trader):
    order = Order.objects.get(status="closed")
    Trade.objects.update(account=open_account())

    assert f"Order {order} has a trade of another Account." in found()


def test_a_day_that_says_less_than_was_traded_is_found(trader):
    """Fees go by what was traded in the last days: whoever changes that pays less."""
    told = TradedDay.objects.get()
    TradedDay.objects.update(value_units=1)

    assert found() == [
        f"Account {trader.pk}, {START:%Y-%m-%d}: 1 traded stands there; added up it is {told.value_units}."
    ]


def test_a_reward_that_nobody_earned_is_found(saver):
    paid = Reward.objects.get()
    Reward.objects.update(units=paid.units + 1)

    assert found() == [f"Account {saver.pk}, {FLEXIBLE.id}: {paid.units + 1} was paid; {paid.units} was earned."]


def test_a_reward_that_was_booked_as_something_else_is_found(saver):
    Reward.objects.update(entry=Entry.objects.get(kind="deposit"))

    (difference,) = found()
    assert difference.endswith("was booked as something else.")


def test_more_taken_back_than_was_lent_is_found(saver):
    taken = Move.objects.get(operation="deallocate")
    Move.objects.filter(pk=taken.pk).update(units=2 * 10**7)

    assert (
        f"Account {saver.pk}, {FLEXIBLE.id}: more was taken back than was there at {START + timedelta(days=1)}."
        in found()
    )
    assert f"Earn, ZUSD: {5 * 10**6} is booked; the allocations add up to {10**7 - 2 * 10**7}." in found()
