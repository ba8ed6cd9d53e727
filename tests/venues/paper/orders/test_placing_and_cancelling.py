"""What cannot be an order, what an open one is found by, and what a cancelled one gives back."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from portal.core.errors import Invalid
from portal.venues.errors import (
    ClientIdTaken,
    CostTooSmall,
    DeadlineElapsed,
    InvalidPrice,
    OrderFunds,
    TickSize,
    UnknownOrder,
    UnknownPair,
    VolumeTooSmall,
)
from portal.venues.paper.ledger.models import Entry
from portal.venues.paper.orders.models import Order
from portal.venues.types import OpenQuery, OrderStatus, TimeInForce
from tests.venues.conftest import START, open_account, pay_in
from tests.venues.ordering import VENUE, asked, has, now, place
from tests.venues.paper.orders.conftest import FLAT

pytestmark = pytest.mark.usefixtures("adds_up")


def test_validating_places_nothing(trader):
    row = place(trader, "buy", "0.01", "50000", only_validate=True)

    assert row.id == ""
    assert not Order.objects.exists()
    # Funds aside: it looks at what is written (fault bots-A1).
    assert place(trader, "buy", "10", "50000", only_validate=True).id == ""


@pytest.mark.parametrize(
    ("error", "terms"),
    [
        (UnknownPair, {"pair": "DOGEUSD"}),
        (VolumeTooSmall, {"volume": "0.00004"}),
        (CostTooSmall, {"price": "100"}),
        (TickSize, {"price": "50000.05"}),
        (InvalidPrice, {"price": "0"}),
        (InvalidPrice, {"price": "-1"}),
        (InvalidPrice, {"price": "1e40"}),
        (InvalidPrice, {"price": "NaN"}),
        (Invalid, {"volume": "0.000050001"}),
        (Invalid, {"volume": "1e30"}),
        (Invalid, {"volume": "NaN"}),
        (Invalid, {"volume": "0"}),
        (Invalid, {"userref": 2**31}),
        (Invalid, {"userref": 1, "cl_ord_id": "a"}),
        (Invalid, {"cl_ord_id": "nineteen-characters"}),
        (Invalid, {"cl_ord_id": ""}),
        (Invalid, {"cl_ord_id": "ümlaut"}),
        (Invalid, {"time_in_force": TimeInForce.GTD}),
        (Invalid, {"expires_at": START + timedelta(days=1)}),
        (Invalid, {"time_in_force": TimeInForce.GTD, "expires_at": START}),
        (Invalid, {"time_in_force": TimeInForce.IOC, "is_post_only": True}),
        (Invalid, {"price": None, "is_post_only": True}),
        (DeadlineElapsed, {"deadline": START}),
        (Invalid, {"deadline": START + timedelta(seconds=61)}),
        (OrderFunds, {"volume": "2.1"}),
        (OrderFunds, {"volume": "90000000000"}),
    ],
)
def test_what_cannot_be_an_order_is_refused_and_holds_nothing(trader, error, terms):
    with pytest.raises(error):
        place(trader, **{"side": "buy", "volume": "0.00005", "price": "50000", **terms})
    assert not Order.objects.exists()
    assert has(trader)["USD"] == (100000, 0)


def test_an_empty_account_can_buy_nothing(empty):
    for price in (None, "50000"):
        with pytest.raises(OrderFunds):
            place(empty, "buy", "1", price)


def test_the_last_unit_can_be_spent_and_not_one_more(empty, prices, clock):
    prices(FLAT)
    pay_in(empty, "501.2500", "USD")
    with pytest.raises(OrderFunds):
        place(empty, "buy", "0.01000001", "50000")
    place(empty, "buy", "0.01", "50000")

    assert has(empty)["USD"] == (Decimal("501.25"), Decimal("501.25"))
    prices(FLAT, (5, "XBT/USD", "49000"))
    clock(5)
    assert has(empty)["USD"] == (0, 0)


def test_held_dollars_cannot_be_withdrawn_nor_spent_twice(trader):
    place(trader, "buy", "1.9", "50000")
    with pytest.raises(OrderFunds):
        place(trader, "buy", "0.2", "50000")


def test_a_client_id_is_taken_while_its_order_is_open(trader):
    """AP-14: a repeated `cl_ord_id` dies on its uniqueness."""
    first = place(trader, "buy", "0.01", "50000", cl_ord_id="mine")
    with pytest.raises(ClientIdTaken):
        place(trader, "buy", "0.01", "50000", cl_ord_id="mine")
    other = open_account()
    pay_in(other, "1000", "USD")
    place(other, "buy", "0.01", "50000", cl_ord_id="mine")

    assert VENUE.cancel_orders(trader.pk, cl_ord_id="mine") == 1
    again = place(trader, "buy", "0.01", "50000", cl_ord_id="mine")
    assert [row.id for row in VENUE.orders(trader.pk, [first.id, again.id], OpenQuery(cl_ord_id="mine"))] == [
        again.id, first.id,
    ]  # fmt: skip


def test_the_database_takes_a_client_id_once_while_open(trader):
    place(trader, "buy", "0.01", "50000", cl_ord_id="mine")
    place(trader, "buy", "0.01", "50000", cl_ord_id="other")
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(cl_ord_id="other").update(cl_ord_id="mine")


@pytest.mark.parametrize(
    "change",
    [
        {"filled_units": 10**9},
        {"held_units": -1},
        {"status": "closed"},
        {"status": "odd"},
        {"due_at": None},
        {"price_units": None},
        {"expires_at": START},
        {"userref": 1, "cl_ord_id": "x"},
    ],
)
def test_the_database_keeps_orders_in_order(trader, change):
    place(trader, "buy", "0.01", "50000")
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.update(**change)


def test_cancelling_gives_back_what_was_held(trader):
    first = place(trader, "buy", "0.01", "50000", userref=7)
    place(trader, "buy", "0.02", "50000", userref=7)
    place(trader, "sell", "0.02", "70000")

    assert VENUE.cancel_orders(trader.pk, userref=7) == 2
    assert has(trader) == {"BTC": (1, Decimal("0.02")), "USD": (100000, 0)}
    for gone in ({"order_id": first.id}, {"userref": 7}, {"cl_ord_id": "x"}, {"order_id": "OAAAAA-AAAAA-AAAAAA"}, {}):
        with pytest.raises(UnknownOrder):
            VENUE.cancel_orders(trader.pk, **gone)
    assert VENUE.cancel_all_orders(trader.pk) == 1
    assert VENUE.cancel_all_orders(trader.pk) == 0
    assert has(trader)["BTC"] == (1, 0)
    assert now(trader, first).reason == "User requested"


def test_no_order_closes_before_it_opened_whatever_another_nodes_clock_says(trader, clock):
    clock(10)
    row = place(trader, "buy", "0.01", "50000")
    clock(9)
    VENUE.cancel_orders(trader.pk, order_id=row.id)
    assert now(trader, row).closed_at == START + timedelta(seconds=10)


def test_a_cancel_after_the_crossing_comes_too_late(trader, prices, clock):
    row = place(trader, "buy", "0.01", "50000")
    prices(FLAT, (5, "XBT/USD", "49000"))
    clock(10)

    with pytest.raises(UnknownOrder):
        VENUE.cancel_orders(trader.pk, order_id=row.id)
    assert now(trader, row).status is OrderStatus.CLOSED


def test_another_accounts_order_is_unknown(trader):
    row = place(trader, "buy", "0.01", "50000")
    stranger = open_account()

    with pytest.raises(UnknownOrder):
        VENUE.cancel_orders(stranger.pk, order_id=row.id)
    assert VENUE.orders(stranger.pk, [row.id], OpenQuery()) == []


def test_an_order_is_refused_whole_when_the_balance_would_overflow(trader):
    pay_in(trader, str(Decimal(2**63 - 1).scaleb(-4) - 100000), "USD")
    with pytest.raises(Invalid, match="out of range"):
        VENUE.place_order(trader.pk, asked("sell", "0.01"))
    assert not Order.objects.exists()
    assert not Entry.objects.filter(kind="trade").exists()
