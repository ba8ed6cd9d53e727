"""What every venue owes those who follow Accounts: it catches up when asked to, and keeps still for a snapshot."""

import logging
import threading
import time
from decimal import Decimal
from functools import partial

import pytest
from django.db import OperationalError

from portal.venues import registry
from portal.venues.journal import reading
from portal.venues.journal.writing import together as collecting
from portal.venues.paper import clock as catching_up
from portal.venues.paper import reconciliation
from portal.venues.types import OpenQuery, OrderStatus, TradeQuery
from tests.venues.conftest import RECEIVER, open_account, pay_in, together
from tests.venues.journal.following import Follower, events
from tests.venues.ordering import asked, now, place
from tests.venues.paper.orders.conftest import FLAT

racing = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


# A gateway keeps no journal: what happens to its Accounts happens elsewhere.
@pytest.fixture(params=sorted(registry.VENUES.keys() - {"kraken"}))
def venue(request):
    return registry.venue(request.param)


@pytest.fixture
def trader(prices, clock, settings):
    """An Account with a million dollars and ten bitcoin, at 60000, that may trade as fast as it can."""
    settings.API_LIMITS = False
    prices(FLAT)
    account = open_account()
    pay_in(account, "1000000", "USD")
    pay_in(account, "10")
    return account


def snapshot(venue, account):
    """What of the Account is told by balances and by open orders, and where its journal stands."""
    with venue.still(account.pk):
        orders = {row.id: row for row in venue.open_orders(account.pk, OpenQuery())}
        balances = {
            row.asset: Decimal(row.units + row.held_by_withdrawals_units).scaleb(-row.asset.decimals)
            for row in venue.balances(account.pk)
        }
        trades = {row.id for row in venue.trades(account.pk, TradeQuery()).rows}
        return reading.place(account.pk), balances, orders, trades


# --- Catching up -----------------------------------------------------------------------------------------------------


def test_catching_up_takes_one_statement_when_nothing_is_due(venue, db, django_assert_num_queries):
    accounts = [open_account().pk for _ in range(20)]
    with django_assert_num_queries(1):
        venue.catch_up(accounts)
    venue.catch_up([])


def test_it_carries_out_what_is_due_for_those_accounts_and_no_others(venue, trader, prices, clock):
    second, other = open_account(), open_account()
    mine = place(trader, "buy", "0.01", "50000")
    venue.simulate_deposit(second.pk, "BTC", Decimal(1))
    venue.simulate_deposit(other.pk, "BTC", Decimal(1))
    prices(FLAT, (5, "XBT/USD", "49000"))
    clock(60)
    venue.catch_up([trader.pk, second.pk])

    assert events(trader)[-1].order.id == mine.id
    assert [event.kind for event in events(second)] == ["deposit"]
    assert events(other) == []


def test_what_fails_in_one_account_stops_no_other(venue, trader, clock, monkeypatch, caplog):
    accounts = [open_account() for _ in range(3)]
    for account in accounts:
        venue.simulate_deposit(account.pk, "BTC", Decimal(1))
    clock(60)
    settle = catching_up._settle

    def fail_in_the_second(account_id, limit):
        done = settle(account_id, limit)
        if account_id == accounts[1].pk:
            raise ZeroDivisionError
        return done

    monkeypatch.setattr(catching_up, "_settle", fail_in_the_second)
    with caplog.at_level(logging.ERROR):
        venue.catch_up([account.pk for account in accounts])

    assert [len(events(account)) for account in accounts] == [1, 0, 1], "what it did in the second is undone"
    assert "Could not settle" in caplog.text


def test_a_database_that_is_away_is_said_to_be(venue, trader, clock, monkeypatch):
    venue.simulate_deposit(trader.pk, "BTC", Decimal(1))
    clock(60)

    def away(*_args):
        raise OperationalError

    monkeypatch.setattr(catching_up, "_settle", away)
    with pytest.raises(OperationalError):
        venue.catch_up([trader.pk])


# --- Keeping still ---------------------------------------------------------------------------------------------------


def test_an_account_is_brought_up_to_now_first(venue, trader, prices, clock):
    row = place(trader, "buy", "0.01", "50000")
    prices(FLAT, (5, "XBT/USD", "49000"))
    clock(60)
    at, balances, orders, trades = snapshot(venue, trader)

    assert orders == {}
    assert len(trades) == 1
    assert balances[venue.asset("BTC")] == Decimal("10.01")
    assert events(trader)[at - 1].order.id == row.id
    assert at == reading.place(trader.pk)


def test_no_time_passes_inside_and_it_does_again_afterwards(venue, trader, prices, clock):
    row = place(trader, "buy", "0.01", "50000")
    prices(FLAT, (5, "XBT/USD", "49000"))
    before = reading.place(trader.pk)
    other = open_account()
    venue.simulate_deposit(other.pk, "BTC", Decimal(1))
    with venue.still(trader.pk):
        clock(60)
        assert [order.id for order in venue.open_orders(trader.pk, OpenQuery())] == [row.id]
        assert {balance.asset.code: balance.units for balance in venue.balances(trader.pk)}["BTC"] == 10 * 10**10
        assert venue.trades(trader.pk, TradeQuery()).count == 0
        assert reading.place(trader.pk) == before
        assert venue.balances(other.pk)[0].units == 10**10, "others go on"
    assert now(trader, row).status is OrderStatus.CLOSED


def test_time_goes_on_after_an_error_too(venue, trader, prices, clock):
    row = place(trader, "buy", "0.01", "50000")
    prices(FLAT, (5, "XBT/USD", "49000"))
    with pytest.raises(ZeroDivisionError), venue.still(trader.pk):
        raise ZeroDivisionError
    clock(60)
    assert now(trader, row).status is OrderStatus.CLOSED


def test_it_is_refused_where_the_journal_is_not_written_yet(venue, trader):
    with collecting(), pytest.raises(RuntimeError, match="cannot be held"), venue.still(trader.pk):
        pytest.fail("its place would be wrong")


class TestAtOnce:
    pytestmark = racing

    def test_a_snapshot_agrees_with_the_journal_up_to_its_place(self, venue, trader, prices, clock):
        """And whoever reads on from there comes to where everything ends."""
        prices(*((second, "XBT/USD", str(60000 - 700 * (second % 3))) for second in range(60)))
        done, taken = threading.Event(), []

        def trade():
            try:
                for second in range(1, 20):
                    clock(second)
                    place(trader, "buy", "0.01", "59500")
                    place(trader, "sell", "0.01", "60300")
                    place(trader, "buy" if second % 2 else "sell", "0.02")
                    if second % 7 == 0:
                        venue.cancel_all_orders(trader.pk)
                    # SQLite's lock goes to whoever asks first, and who has just given it back does.
                    time.sleep(0.1)
            finally:
                done.set()

        def look():
            while not done.wait(0.05):
                taken.append(snapshot(venue, trader))

        assert together(trade, look) == [None, None]
        taken.append(snapshot(venue, trader))

        assert len({place for place, *_ in taken}) > 5
        follower = Follower(trader)
        for at, balances, orders, trades in taken:
            follower.follow(until=at)
            assert follower.last == at
            assert follower.balances == balances
            assert follower.open == orders
            assert trades <= set(follower.trade_ids)
            assert len(trades) == min(50, len(follower.trade_ids))
        assert list(reconciliation.differences()) == []

    def test_an_account_that_never_had_anything_keeps_still_too(self, venue, prices, clock):
        """It has no balance that could be locked."""
        account, is_still = open_account(), threading.Event()
        came = threading.Event()

        def look():
            with venue.still(account.pk):
                is_still.set()
                came.wait(0.5)
                return list(venue.balances(account.pk)), reading.place(account.pk)

        def pay():
            is_still.wait()
            pay_in(account, "1")
            came.set()

        assert together(look, pay) == [([], 0), None]
        assert reading.place(account.pk) == 1
        assert len(venue.balances(account.pk)) == 1

    def test_withdrawals_orders_and_the_clock_do_not_block_each_other(self, venue, trader, prices, clock):
        """Balances first, then the journal: nobody waits in a circle, and nobody is refused for having waited."""
        prices(*((second, "XBT/USD", str(60000 - 700 * (second % 3))) for second in range(60)))

        def withdraw(who, end):
            for number in range(8):
                reference = f"{who}{number}"
                venue.hold_withdrawal(
                    trader.pk, reference=reference, asset="XXBT", amount_units=10**8, destination=RECEIVER
                )
                end(reference)

        def trade(side):
            for number in range(8):
                venue.place_order(trader.pk, asked(side, "0.01", "59500" if side == "buy" else "60300"))
                venue.place_order(trader.pk, asked(side, "0.01"))
                clock(number)
                if number % 4 == 0:
                    venue.cancel_all_orders(trader.pk)

        def settle():
            for _ in range(10):
                venue.catch_up([trader.pk])
                snapshot(venue, trader)

        results = together(
            partial(withdraw, "S", venue.send_withdrawal),
            partial(withdraw, "R", venue.release_withdrawal),
            partial(trade, "buy"),
            partial(trade, "sell"),
            settle,
        )

        assert results == [None] * 5
        at, balances, orders, _ = snapshot(venue, trader)
        follower = Follower(trader)
        follower.follow()
        assert (follower.last, follower.balances, follower.open) == (at, balances, orders)
        assert list(reconciliation.differences()) == []
