"""Anything may happen to an Account, in any order, while prices and the clock move: the books stay right after each."""

from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.test import override_settings
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from portal.core.errors import DomainError
from portal.venues.paper import clock, reconciliation
from portal.venues.paper.deposits import arrival
from portal.venues.paper.earn.strategies import STRATEGIES
from portal.venues.types import (
    Asset,
    ClosedQuery,
    LedgerQuery,
    LedgerRow,
    OpenQuery,
    Side,
    Stage,
    TimeInForce,
    TradeQuery,
    TradeRow,
    WithdrawalQuery,
)
from tests.venues.conftest import RECEIVER, START, open_account, pay_in
from tests.venues.journal.following import Follower
from tests.venues.ordering import VENUE, place

ANY_PAIR, ANY_SIDE = st.sampled_from(["XBTUSD", "SOLUSD", "SOL/BTC"]), st.sampled_from(Side)
WITHDRAWN = {"XBT": "Bitcoin", "SOL": "Solana"}
EARNS = [one.id for one in STRATEGIES if one.asset.code in {"BTC", "USD", "SOL"}]
REASONS = {
    "",
    "User requested",
    "Post only order",
    "Immediate or cancel",
    "Insufficient liquidity",
    "Order expired",
}
SIZES = st.sampled_from([1, 9, 1000, 40_000, 400_000])
SMALL = st.integers(1, 4000)


def tally() -> Counter[Any]:
    return Counter()


class Exchange(RuleBasedStateMachine):
    """One Account of the paper exchange, and whatever a bot, a treasurer and the market may do to it."""

    override: override_settings | None = None

    @initialize(seed=st.integers(1, 3))
    def begin(self, seed):
        # Each run is undone as a whole.
        self.run = transaction.atomic()
        self.run.__enter__()
        self.clock = time_machine.travel(START, tick=False)
        self.now = self.clock.start()
        self.prices(f"walk:{seed}")
        self.account = open_account()
        self.follower = Follower(self.account)
        self.references = []
        for asset, amount in (("USD", "5000000"), ("BTC", "60"), ("SOL", "40000")):
            pay_in(self.account, amount, asset)
        for pair, side, size in (("XBTUSD", Side.BUY, 1_100_000), ("SOLUSD", Side.SELL, 1_900_000)):
            self.ask(pair, side, size, self.price(pair, side, 0), {})
        # Long enough for a part of them, too short for all.
        self.wait(4)

    def prices(self, name):
        if self.override is not None:
            self.override.disable()
        self.override = override_settings(PAPER_PRICES=name)
        self.override.enable()

    def teardown(self):
        if hasattr(self, "run"):
            if self.override is not None:
                self.override.disable()
            self.clock.stop()
            transaction.set_rollback(True)
            self.run.__exit__(None, None, None)

    @rule(pair=ANY_PAIR, side=st.sampled_from(Side), size=SIZES, away=st.integers(0, 3), term=st.booleans())
    def limit_order(self, pair, side, size, away, term):
        """`away` is how far from the market, in thousandths of the price; with a `term` it stands for hours only."""
        terms = {}
        if term:
            terms = {"time_in_force": TimeInForce.GTD, "expires_at": timezone.now() + timedelta(hours=away + 1)}
        self.ask(pair, side, size, self.price(pair, side, away), terms)

    @rule(
        pair=ANY_PAIR,
        side=ANY_SIDE,
        size=SIZES,
        away=st.none() | st.integers(-3, 3),
        force=st.sampled_from([TimeInForce.GTC, TimeInForce.IOC]),
        is_post_only=st.booleans(),
        name=st.sampled_from("ab"),
    )
    def odd_order(self, pair, side, size, away, force, is_post_only, name):
        price = None if away is None else self.price(pair, side, away)
        self.ask(pair, side, size, price, {"time_in_force": force, "is_post_only": is_post_only, "cl_ord_id": name})

    def price(self, pair, side, away):
        found = VENUE.pair(pair)
        level = VENUE.depth(pair, 1)
        best = level.bids[0].price if side is Side.BUY else level.asks[0].price
        return (best + best * away / 1000 * (-1 if side is Side.BUY else 1)).quantize(found.tick_size)

    def ask(self, pair, side, size, price, terms):
        with suppress(DomainError):
            place(self.account, side, VENUE.pair(pair).minimum_volume * size, price, pair, **terms)

    def catch_up(self):
        """A call carries out a bounded number of events: what two of them say is compared once nothing is left."""
        while clock.is_due(self.account.pk):
            VENUE.balances(self.account.pk)

    @rule(pick=SMALL)
    def cancel(self, pick):
        self.catch_up()
        rows = VENUE.open_orders(self.account.pk, OpenQuery())
        if pick % 4 == 0:
            assert VENUE.cancel_all_orders(self.account.pk) == len(rows)
        elif rows:
            assert VENUE.cancel_orders(self.account.pk, order_id=rows[pick % len(rows)].id) == 1

    @rule(seconds=st.sampled_from([1, 2, 5, 60, 7200, 4 * 86400]))
    def wait(self, seconds):
        self.now.shift(seconds)

    @rule(name=st.sampled_from(["", "", "walk:1", "walk:2", "still"]))
    def somebody_settles(self, name):
        """Now and then under other prices."""
        if name:
            self.prices(name)
        VENUE.settle_due(20)

    @rule(asset=st.sampled_from(["BTC", "USD", "SOL"]), amount=SMALL)
    def deposit(self, asset, amount):
        with suppress(DomainError):
            arrival.send(self.account.pk, asset, Decimal(amount) / 100)

    @rule(asset=st.sampled_from(sorted(WITHDRAWN)), amount=SMALL, how=st.sampled_from(["hold", "send", "release"]))
    def withdraw(self, asset, amount, how):
        with suppress(DomainError), transaction.atomic():
            if how != "hold" and self.references:
                reference = self.references[amount % len(self.references)]
                (VENUE.send_withdrawal if how == "send" else VENUE.release_withdrawal)(reference)
                return
            reference = f"W{self.account.pk}-{len(self.references)}"
            VENUE.hold_withdrawal(
                self.account.pk,
                reference=reference,
                asset=asset,
                amount_units=amount * 10 ** VENUE.asset(asset).decimals // 1000,
                destination=replace(RECEIVER, method=WITHDRAWN[asset]),
            )
            self.references.append(reference)

    @rule(strategy=st.sampled_from(EARNS), amount=SMALL, is_in=st.booleans())
    def earn(self, strategy, amount, is_in):
        call = VENUE.allocate if is_in else VENUE.deallocate
        with suppress(DomainError):
            call(self.account.pk, strategy, Decimal(amount) / 100)

    @invariant()
    def the_books_agree_with_themselves(self):
        self.catch_up()
        assert list(reconciliation.differences()) == []

    @invariant()
    def what_is_reported_adds_up_to_the_ledger(self):
        self.catch_up()
        rows = self.ledger()
        booked, held = tally(), tally()
        kinds: dict[str, Counter[Any]] = {}
        for row in rows:
            booked[row.asset] += row.amount_units - row.fee_units
            kinds.setdefault(row.kind, Counter())[row.asset] += row.amount_units - row.fee_units
        for row in VENUE.withdrawals(self.account.pk, WithdrawalQuery()).rows:
            held[row.asset] += row.amount_units + row.fee_units if row.stage is Stage.HELD else 0
        for balance in VENUE.balances(self.account.pk):
            assert balance.held_by_withdrawals_units == held[balance.asset]
            assert balance.units + balance.held_by_withdrawals_units == booked[balance.asset]
            assert balance.units >= balance.held_by_orders_units >= 0
        assert kinds.get("trade", Counter()) == self.traded()
        assert kinds.get("transfer", Counter()) == self.lent()

    @invariant()
    def open_orders_hold_what_they_may_cost(self):
        least: defaultdict[Asset, Decimal] = defaultdict(Decimal)
        of_sells: defaultdict[Asset, Decimal] = defaultdict(Decimal)
        self.catch_up()
        for order in VENUE.open_orders(self.account.pk, OpenQuery()):
            rest = order.volume - order.filled_volume
            assert rest > 0
            if order.side is Side.SELL:
                of_sells[order.pair.base] += rest
            else:
                least[order.pair.quote] += rest * order.price
        for balance in VENUE.balances(self.account.pk):
            held = Decimal(balance.held_by_orders_units).scaleb(-balance.asset.decimals)
            assert held - of_sells[balance.asset] >= least[balance.asset]
            assert held == of_sells[balance.asset] or least[balance.asset]

    @invariant()
    def orders_report_what_their_trades_report(self):
        self.catch_up()
        orders = {order.id: order for order in VENUE.closed_orders(self.account.pk, ClosedQuery()).rows}
        orders |= {order.id: order for order in VENUE.open_orders(self.account.pk, OpenQuery())}
        volumes: defaultdict[str, Decimal] = defaultdict(Decimal)
        for trade in self.trades():
            volumes[trade.order_id] += trade.volume
        for order in orders.values():
            assert order.reason in REASONS
            assert order.filled_volume == volumes[order.id]

    @invariant()
    def who_reads_the_journal_alone_knows_the_same(self):
        self.catch_up()
        self.follower.follow()
        assert sorted(self.follower.ledger_ids) == sorted(row.id for row in self.ledger())
        assert sorted(self.follower.trade_ids) == sorted(row.id for row in self.trades())
        assert self.follower.open == {row.id: row for row in VENUE.open_orders(self.account.pk, OpenQuery())}
        for balance in VENUE.balances(self.account.pk):
            units = balance.units + balance.held_by_withdrawals_units
            assert self.follower.balances.get(balance.asset, 0) == Decimal(units).scaleb(-balance.asset.decimals)

    def ledger(self):
        rows: list[LedgerRow] = []
        offset = 0
        while page := VENUE.ledger(self.account.pk, LedgerQuery(offset=offset, with_count=False)).rows:
            rows += page
            offset += len(page)
        assert [row.at for row in rows] == sorted((row.at for row in rows), reverse=True)
        return rows

    def trades(self):
        rows: list[TradeRow] = []
        offset = 0
        while page := VENUE.trades(self.account.pk, TradeQuery(offset=offset, with_count=False)).rows:
            rows += page
            offset += len(page)
        return rows

    def traded(self):
        moved = tally()
        for trade in self.trades():
            sign = 1 if trade.side is Side.BUY else -1
            for asset, amount in (
                (trade.pair.base, sign * trade.volume),
                (trade.pair.quote, -sign * trade.cost - trade.fee),
            ):
                moved[asset] += int(amount.scaleb(asset.decimals))
        return moved

    def lent(self):
        moved = tally()
        for row in VENUE.allocations(self.account.pk):
            moved[row.strategy.asset] -= row.total_units
        return moved


@pytest.mark.slow
def test_whatever_happens_the_books_stay_right(db):
    """DESIGN V1: exact throughout, never below zero, nothing made and nothing lost."""
    run_state_machine_as_test(
        Exchange,
        settings=settings(
            max_examples=8,
            stateful_step_count=20,
            deadline=None,
            # Making a failure shorter would take minutes.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
