"""No circle of trades on the paper exchange brings back more than went in, at any moment, spread and depth included."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from portal.venues.paper import catalogue, fees
from portal.venues.paper.orders import amounts
from portal.venues.paper.prices import quotes
from portal.venues.paper.prices.given import Recorded, Still
from portal.venues.paper.prices.path import Path
from portal.venues.paper.prices.walk import Walk
from portal.venues.types import Side
from tests.venues.conftest import pay_in
from tests.venues.ordering import has, place

# What one unit of an asset brings of another.
Rates = dict[tuple[str, str], Fraction]


def circles() -> Iterator[tuple[str, ...]]:
    """Every way to come back to where one began without passing a place twice."""
    trades = {(pair.base.id, pair.quote.id) for pair in catalogue.PAIRS}
    trades |= {(quote, base) for base, quote in trades}
    ids = [asset.id for asset in catalogue.ASSETS]
    for length in range(2, len(ids) + 1):
        for round_trip in permutations(ids, length):
            if round_trip[0] == min(round_trip):
                legs = tuple(zip(round_trip, (*round_trip[1:], round_trip[0]), strict=True))
                if trades.issuperset(legs):
                    yield round_trip


CIRCLES = tuple(circles())


def rates(path: Path, step: int) -> Rates:
    """What one unit of an asset brings of another at the best prices of that step, without any fee."""
    found: Rates = {}
    for pair in catalogue.PAIRS:
        mid = path.mid(pair.id, step)
        scale = 10**pair.price_decimals
        found[pair.base.id, pair.quote.id] = Fraction(quotes.bid(pair.id, mid), scale)
        found[pair.quote.id, pair.base.id] = Fraction(scale, quotes.ask(pair.id, mid))
    return found


def best(of: Rates) -> Fraction:
    """What the best of all circles brings back of one."""
    brought = Fraction(0)
    for circle in CIRCLES:
        back = Fraction(1)
        for leg in zip(circle, (*circle[1:], circle[0]), strict=True):
            back *= of[leg]
        brought = max(brought, back)
    return brought


def test_there_are_circles_to_look_at():
    assert len(CIRCLES) > 100
    assert ("XXBT", "ZEUR", "ZUSD") in CIRCLES
    assert ("XXBT", "ZUSD", "ZEUR") in CIRCLES


@pytest.mark.parametrize("seed", ["1", "7", "another"])
def test_no_circle_earns_at_any_step_of_a_walk(seed):
    """fault security-L14: dollars to bitcoin to euros to dollars paid 8.4 percent, after fees."""
    walk = Walk(seed)
    for step in range(1_700_000_000, 1_900_000_000, 6_250_007):
        assert best(rates(walk, step)) < 1, step


@trying(max_examples=25, deadline=None)
@given(step=st.integers(1_500_000_000, 2_100_000_000))
def test_no_circle_earns_at_a_step_that_somebody_picks(step):
    """fault security-L14"""
    assert best(rates(Walk("1"), step)) < 1


def test_no_circle_earns_while_prices_stand_still():
    """fault security-L14"""
    assert best(rates(Still(), 0)) < 1


PRICE = st.integers(1, 10**7).map(lambda units: f"{Decimal(units).scaleb(-1)}")


@trying(max_examples=15, deadline=None)
@given(bitcoin=PRICE, euro=st.integers(50_000, 200_000), sol=st.integers(100, 10**6))
def test_no_circle_earns_with_prices_of_a_file(tmp_path_factory, bitcoin, euro, sol):
    """fault security-L14: a file names prices in dollars alone, so it cannot make one either."""
    file = tmp_path_factory.mktemp("prices") / "prices.csv"
    euros, sols = Decimal(euro).scaleb(-5), Decimal(sol).scaleb(-2)
    file.write_text(f"time,pair,price\n0,XBT/USD,{bitcoin}\n5,EUR/USD,{euros}\n7,SOL/USD,{sols}\n")
    path = Recorded(file)
    for step in (0, 5, 7):
        # A pair whose price is less than its last place can show is not one that anybody trades.
        if all(path.mid(pair.id, step) > 1 for pair in catalogue.PAIRS):
            assert best(rates(path, step)) < 1


def test_a_circle_of_orders_loses(clock, empty, settings):
    """fault security-L14: as whoever tries it finds it."""
    settings.PAPER_PRICES = "walk:1"
    settings.API_LIMITS = False
    for seconds in range(0, 50_000, 9_999):
        clock(seconds)
        pay_in(empty, "10000", "USD")
        before = has(empty)
        place(empty, "buy", "0.1", pair="XBTUSD")
        place(empty, "sell", "0.1", pair="XBTEUR")
        euros = has(empty)["EUR"][0] - before.get("EUR", (Decimal(0),))[0]
        place(empty, "sell", f"{euros:.4f}", pair="EURUSD")
        after = has(empty)
        assert (after["BTC"][0], after["EUR"][0]) == (before.get("BTC", (0,))[0], before.get("EUR", (0,))[0])
        assert after["USD"][0] < before["USD"][0]


@pytest.mark.parametrize("rate", [100, 4000])
@pytest.mark.parametrize("pair", catalogue.PAIRS, ids=lambda pair: pair.altname)
def test_rounding_brings_a_taker_nothing(pair, rate):
    """fault security-L14: many small orders, each rounded in their favour, with the lowest fee that a taker pays."""
    assert min(taker for tiers in (fees.ORDINARY, fees.CALM) for _, _, taker in tiers) == 100
    price = Walk("1").mid(pair.id, 1_790_000_000)
    least = int(pair.minimum_volume.scaleb(pair.volume_decimals))
    for volume in range(least, least * 3, max(1, least // 50)):
        exact = Fraction(price * volume * 10**pair.quote.decimals, 10 ** (pair.price_decimals + pair.volume_decimals))
        cost = amounts.cost(pair, price, volume)
        paid = cost + amounts.fee(pair, cost, rate, up=True)
        got = cost - amounts.fee(pair, cost, rate, up=True)
        assert got <= exact <= paid, volume


def test_buyers_and_sellers_meet_nowhere_inside_the_spread():
    """Every market loses something by itself, so a circle of two legs is one of the circles above."""
    for pair in catalogue.PAIRS:
        mid = Walk("1").mid(pair.id, 1_790_000_000)
        assert quotes.offers(Walk("1"), pair.id, 1_790_000_000, Side.BUY)[0].price > mid
        assert quotes.offers(Walk("1"), pair.id, 1_790_000_000, Side.SELL)[0].price <= mid
