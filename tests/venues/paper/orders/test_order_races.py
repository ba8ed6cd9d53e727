"""Two connections at once over one Account's orders. All but the last were seen failing without the Account's lock."""

from decimal import Decimal
from functools import partial

import pytest

from portal.venues.errors import ClientIdTaken, InsufficientFunds, OrderFunds, TooFast, UnknownOrder
from portal.venues.paper import reconciliation
from portal.venues.paper.orders.models import Order, Trade, TradingCounter
from portal.venues.types import OrderStatus
from tests.venues.conftest import RECEIVER, open_account, pay_in, together
from tests.venues.ordering import VENUE, has, place

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ROUNDS = 5


@pytest.fixture
def trader(prices, clock):
    """Dollars for one order of 0.01 at 50000 and not for two, and a hundredth of a bitcoin."""
    prices((0, "XBT/USD", "60000"), (100, "XBT/USD", "49000"))
    clock(0)
    account = open_account()
    pay_in(account, "600", "USD")
    pay_in(account, "0.01")
    return account


@pytest.fixture(autouse=True)
def _adds_up(trader):
    yield
    assert list(reconciliation.differences()) == []
    assert all(units >= held >= 0 for units, held in has(trader).values())


def of_kind(results, kind):
    return [result for result in results if isinstance(result, kind)]


def test_two_orders_for_the_last_dollar_leave_one(trader):
    for _ in range(ROUNDS):
        results = together(*[partial(place, trader, "buy", "0.01", "50000")] * 2)

        assert len(of_kind(results, OrderFunds)) == 1, results
        assert Order.objects.filter(status="open").count() == 1
        assert VENUE.cancel_all_orders(trader.pk) == 1


def test_two_market_orders_for_the_last_coin_leave_one(trader):
    results = together(*[partial(place, trader, "sell", "0.01")] * 2)

    assert len(of_kind(results, OrderFunds)) == 1, results
    assert Trade.objects.count() == 1


def test_a_cancel_and_a_fill_at_once_tell_the_same_story(trader, clock):
    for number in range(ROUNDS):
        clock(0)
        row = place(trader, "buy", "0.001", "50000")
        clock(100 + number)

        results = together(
            partial(VENUE.cancel_orders, trader.pk, order_id=row.id),
            partial(VENUE.settle_due, 100),
            partial(VENUE.balances, trader.pk),
        )

        assert isinstance(results[0], UnknownOrder), "it had crossed before the cancel came"
        assert not of_kind(results[1:], Exception), results
        order = Order.objects.get(txid=row.id)
        assert (order.status, order.trades.count()) == (OrderStatus.CLOSED, 1)


def test_two_cancels_at_once_cancel_once(trader):
    for _ in range(ROUNDS):
        row = place(trader, "buy", "0.01", "50000")
        results = together(*[partial(VENUE.cancel_orders, trader.pk, order_id=row.id)] * 2)

        assert sorted(map(str, results)) == ["1", "There is no such open order."], results


def test_a_withdrawal_and_an_order_for_the_same_coin_leave_one(trader):
    for number in range(ROUNDS):
        withdraw = partial(
            VENUE.hold_withdrawal,
            trader.pk,
            reference=f"R{number}",
            asset="XXBT",
            amount_units=9 * 10**7,
            destination=RECEIVER,
        )
        results = together(withdraw, partial(place, trader, "sell", "0.005", "70000"))

        assert len(of_kind(results, InsufficientFunds)) == 1, results
        if isinstance(results[1], OrderFunds):
            VENUE.release_withdrawal(f"R{number}")
        else:
            VENUE.cancel_all_orders(trader.pk)
        assert has(trader)["BTC"] == (Decimal("0.01"), 0)


def test_settling_twice_at_once_fills_once(trader, clock):
    for number in range(ROUNDS):
        clock(0)
        place(trader, "buy", "0.001", "50000")
        place(trader, "buy", "0.001", "51000")
        clock(100)

        results = together(*[partial(VENUE.settle_due, 100)] * 2, partial(VENUE.balances, trader.pk))

        assert not of_kind(results, Exception), results
        assert Trade.objects.count() == 2 * number + 2


def test_one_client_id_at_once_is_taken_once(trader):
    for _ in range(ROUNDS):
        results = together(*[partial(place, trader, "buy", "0.001", "50000", cl_ord_id="mine")] * 2)

        assert len(of_kind(results, ClientIdTaken)) == 1, results
        VENUE.cancel_all_orders(trader.pk)


def test_the_last_place_under_the_threshold_is_given_once(trader):
    TradingCounter.objects.create(account=trader, pair="XXBTZUSD", thousandths=179_000, at=trader.created_at)
    place(trader, "buy", "0.001", "50000")
    TradingCounter.objects.update(thousandths=179_000)

    results = together(*[partial(place, trader, "buy", "0.001", "50000")] * 2)

    assert len(of_kind(results, TooFast)) == 1, results


def test_opposite_orders_of_one_account_do_not_block_each_other(trader):
    pay_in(trader, "1", "ETH")
    other = open_account()
    pay_in(other, "1", "ETH")

    results = together(
        partial(place, trader, "buy", "0.001"),
        partial(place, trader, "sell", "0.01", "0.04", pair="ETH/BTC"),
        partial(place, trader, "sell", "0.01", pair="ETHUSD"),
        partial(place, other, "sell", "0.1", pair="ETHUSD"),
        partial(pay_in, trader, "1", "SOL"),
        partial(VENUE.settle_due, 10),
    )

    assert not of_kind(results, Exception), results
