"""Earn: what goes in, what it earns by the clock, and what comes back."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from portal.core.errors import Invalid
from portal.venues.errors import EarnAboveMaximum, EarnBelowMinimum, EarnBusy, EarnFunds, OrderFunds, UnknownStrategy
from portal.venues.paper import reconciliation
from portal.venues.paper.clock import SEEN
from portal.venues.paper.earn import accrual
from portal.venues.paper.earn.models import Holding, Move, Reward
from portal.venues.paper.earn.strategies import STRATEGIES
from portal.venues.types import EarnOperation, LedgerQuery, LockType
from tests.venues.conftest import START, open_account, pay_in, together
from tests.venues.ordering import VENUE, has, place

FLEXIBLE = next(one for one in STRATEGIES if one.asset.code == "USD")
BONDED = next(one for one in STRATEGIES if one.asset.code == "SOL")
DAY = 86400
MIDNIGHT = DAY // 2


@pytest.fixture
def saver(empty, clock):
    """Ten thousand dollars and a hundred SOL, at noon."""
    clock(0)
    pay_in(empty, "10000", "USD")
    pay_in(empty, "100", "SOL")
    return empty


@pytest.fixture(autouse=True)
def _adds_up(db):
    yield
    assert list(reconciliation.differences()) == []


def put(account, amount, strategy=FLEXIBLE):
    VENUE.allocate(account.pk, strategy.id, Decimal(amount))


def take(account, amount, strategy=FLEXIBLE):
    VENUE.deallocate(account.pk, strategy.id, Decimal(amount))


def there(account):
    (allocation,) = VENUE.allocations(account.pk)
    return allocation


def test_strategies_are_listed_by_asset():
    assert VENUE.strategies("") == list(STRATEGIES)
    assert {one.asset.code for one in VENUE.strategies("XETH")} == {"ETH"}
    assert {one.lock for one in STRATEGIES} == {LockType.INSTANT, LockType.BONDED}


def test_what_is_allocated_leaves_the_balance_at_once(saver):
    assert VENUE.allocations(saver.pk) == []
    put(saver, "1000")

    assert has(saver)["USD"] == (9000, 0)
    assert (there(saver).total_units, there(saver).pending_units) == (10**7, 10**7)
    assert VENUE.earn_pending(saver.pk, FLEXIBLE.id, EarnOperation.ALLOCATE)
    assert not VENUE.earn_pending(saver.pk, FLEXIBLE.id, EarnOperation.DEALLOCATE)
    (row,) = VENUE.ledger(saver.pk, LedgerQuery(kind="transfer")).rows
    assert (row.subkind, row.amount_units) == ("spottostaking", -(10**7))


def test_one_operation_at_a_time(saver, clock):
    put(saver, "1000")
    for again in (partial(put, saver, "1"), partial(take, saver, "1")):
        with pytest.raises(EarnBusy):
            again()
    put(saver, "1", BONDED)
    clock(2)
    assert not VENUE.earn_pending(saver.pk, FLEXIBLE.id, EarnOperation.ALLOCATE)
    put(saver, "1")


def test_rewards_are_paid_at_midnight_for_the_time_that_earned(saver, clock):
    put(saver, "1000")
    clock(MIDNIGHT - 1)
    assert has(saver)["USD"] == (9000, 0)
    clock(MIDNIGHT)

    # From two seconds after noon on: 1000 * 3.5 % * 43198 s / 365 days, rounded down.
    assert has(saver)["USD"] == (Decimal("9000.0479"), 0)
    (row,) = VENUE.ledger(saver.pk, LedgerQuery(kind="staking")).rows
    assert (row.amount_units, row.at) == (479, START + timedelta(seconds=MIDNIGHT))
    assert there(saver).rewarded_units == 479


@pytest.mark.slow
def test_a_year_of_looks_pays_what_one_look_after_a_year_pays(saver, clock):
    other = open_account()
    pay_in(other, "10000", "USD")
    put(saver, "1234.5678")
    put(other, "1234.5678")
    for day in range(1, 150):
        clock(MIDNIGHT + day * DAY + day * 37)
        VENUE.balances(saver.pk)
    clock(150 * DAY)
    VENUE.settle_due(1000)
    assert has(saver)["USD"] == has(other)["USD"]
    assert Reward.objects.filter(holding__account=other).count() == 150


def test_work_is_bounded_and_goes_on_where_it_ended(saver, clock):
    """fault operations-F11: a call carries out a few events, `work` the rest."""
    put(saver, "1000")
    clock(DAY * 300)
    for called in (1, 2):
        VENUE.balances(saver.pk)
        assert Reward.objects.count() == called * SEEN
    VENUE.settle_due(1000)
    assert Reward.objects.count() == 300


def test_the_payout_says_what_comes(saver, clock):
    put(saver, "1000")
    clock(3600)
    payout = there(saver).payout
    assert payout is not None
    assert (payout.accrued_units, payout.estimated_units) == (39, 479)
    assert payout.ends_at == START + timedelta(seconds=MIDNIGHT)


def test_an_instant_strategy_gives_back_within_seconds(saver, clock):
    put(saver, "1000")
    clock(10)
    take(saver, "400")
    assert VENUE.earn_pending(saver.pk, FLEXIBLE.id, EarnOperation.DEALLOCATE)
    assert has(saver)["USD"] == (9000, 0)
    assert there(saver).pending_units == -4 * 10**6
    clock(12)
    assert has(saver)["USD"] == (9400, 0)
    assert there(saver).total_units == 6 * 10**6
    row = VENUE.ledger(saver.pk, LedgerQuery(kind="transfer")).rows[0]
    assert (row.subkind, row.amount_units, row.at) == ("stakingtospot", 4 * 10**6, START + timedelta(seconds=12))


def test_bonds_earn_after_bonding_and_come_back_after_unbonding(saver, clock):
    put(saver, "100", BONDED)
    clock(10)
    (bonding,) = there(saver).bonding
    assert bonding.expires_at == START + timedelta(days=2, seconds=2)
    with pytest.raises(EarnFunds):
        take(saver, "50", BONDED)
    clock(2 * DAY + 2)
    assert there(saver).bonding == ()
    clock(4 * DAY)
    take(saver, "40", BONDED)
    earned = has(saver)["SOL"]
    assert earned > (0, 0)
    clock(4 * DAY + 10)
    assert [one.units for one in there(saver).unbonding] == [40 * 10**10]
    assert there(saver).total_units == 100 * 10**10
    clock(7 * DAY + 2)
    assert there(saver).total_units == 60 * 10**10
    assert has(saver)["SOL"] > (40, 0)


def test_what_is_all_taken_back_is_paid_for_its_last_hours_and_then_rests(saver, clock):
    put(saver, "1000")
    clock(MIDNIGHT // 2)
    take(saver, "1000")
    clock(10 * DAY)
    VENUE.balances(saver.pk)

    assert Reward.objects.count() == 1
    assert Holding.objects.get().due_at is None
    assert there(saver).payout is None
    put(saver, "500")
    clock(11 * DAY)
    VENUE.balances(saver.pk)
    assert Reward.objects.count() == 2


@pytest.mark.parametrize(
    ("error", "amount", "strategy"),
    [
        (EarnBelowMinimum, "0.5", FLEXIBLE),
        (EarnFunds, "10000.0001", FLEXIBLE),
        (EarnAboveMaximum, "10000001", FLEXIBLE),
        (Invalid, "0", FLEXIBLE),
        (Invalid, "-1", FLEXIBLE),
        (Invalid, "1.00001", FLEXIBLE),
        (Invalid, "NaN", FLEXIBLE),
    ],
)
def test_what_cannot_be_allocated_is_refused_and_moves_nothing(saver, error, amount, strategy):
    with pytest.raises(error):
        put(saver, amount, strategy)
    assert not Move.objects.exists()
    assert has(saver)["USD"] == (10000, 0)


def test_an_unknown_strategy_and_more_than_is_there(saver, clock):
    for call in (VENUE.allocate, VENUE.deallocate):
        with pytest.raises(UnknownStrategy):
            call(saver.pk, "ESXXXXX-XXXXX-XXXXXX", Decimal(1))
    with pytest.raises(UnknownStrategy):
        VENUE.earn_pending(saver.pk, "x", EarnOperation.ALLOCATE)
    put(saver, "10")
    clock(5)
    with pytest.raises(EarnFunds):
        take(saver, "10.0001")
    with pytest.raises(EarnBelowMinimum):
        take(saver, "0.5")
    with pytest.raises(EarnFunds):
        put(open_account(), "1")


def test_dust_can_be_taken_back_when_it_is_all_there_is(saver, clock):
    put(saver, "1.5")
    clock(5)
    take(saver, "1")
    clock(10)
    take(saver, "0.5")
    clock(15)
    assert has(saver)["USD"] == (10000, 0)


@trying(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_is_earned_is_the_exact_sum_over_every_stretch(data):
    """However much goes in and out: rounded down once, never drifting, never taken back."""
    moves: list[SimpleNamespace] = []
    at, here, exact = START, 0, Fraction(0)
    for _ in range(data.draw(st.integers(1, 8))):
        before, at = at, at + timedelta(microseconds=data.draw(st.integers(1, 10**12)))
        stretch = Fraction((at - before) // timedelta(microseconds=1), 365 * 86400 * 10**6)
        exact += here * stretch * Fraction(64, 1000)
        assert accrual.earning(moves, at) == here
        assert accrual.earned(BONDED, moves, at) == int(exact)
        half = before + (at - before) / 2
        assert accrual.earned(BONDED, moves, before) <= accrual.earned(BONDED, moves, half) <= int(exact)
        is_in = here == 0 or data.draw(st.booleans())
        units = data.draw(st.integers(1, 10**15 if is_in else here))
        here += units if is_in else -units
        operation = EarnOperation.ALLOCATE if is_in else EarnOperation.DEALLOCATE
        moves.append(SimpleNamespace(operation=operation, units=units, asked_at=at, counts_at=at))


@pytest.mark.parametrize(
    "change", [{"units": 0}, {"done_at": START - timedelta(days=1)}, {"taken": None}, {"operation": "deallocate"}]
)
def test_the_database_keeps_moves_sensible(saver, change):
    put(saver, "10")
    with pytest.raises(IntegrityError), transaction.atomic():
        Move.objects.update(**change)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_an_allocation_and_an_order_for_the_same_dollar_leave_one(settings, clock):
    """Seen failing without the Account's lock."""
    settings.PAPER_PRICES = "still"
    clock(0)
    account = open_account()
    pay_in(account, "100", "USD")
    for number in range(4):
        clock(10 * number)
        allocate = partial(put, account, "80")
        results = together(allocate, partial(place, account, "buy", "0.001", "50000"), allocate)

        refused = [result for result in results if isinstance(result, EarnFunds | OrderFunds | EarnBusy)]
        assert len(refused) == 2, results
        if isinstance(results[1], OrderFunds):
            clock(10 * number + 3)
            take(account, "80")
        else:
            VENUE.cancel_all_orders(account.pk)
    clock(100)
    assert has(account)["USD"] == (100, 0)
