"""Candles of the public trades: what every venue promises of them, and that they cost little to make."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
import time_machine
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from portal.venues.errors import UnknownPair
from portal.venues.paper.prices import candles
from portal.venues.paper.prices.walk import Walk
from portal.venues.paper.venue import PaperVenue
from tests.venues.conftest import START

VENUE = PaperVenue()
INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10_080, 21_600)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def trades_between(name, begins, ends):
    """By paging through them all."""
    found, since = [], begins - timedelta(microseconds=1)
    while page := VENUE.public_trades(name, since, 1000):
        found += [trade for trade in page if trade.at < ends]
        since = page[-1].at
        if since >= ends:
            break
    return found


@trying(max_examples=25, deadline=None)
@given(
    name=st.sampled_from([pair.id for pair in VENUE.pairs()]),
    minutes=st.sampled_from((1, 5, 15, 30, 60, 240)),
    second=st.integers(0, 100_000_000),
)
def test_a_candle_is_what_its_trades_are(name, minutes, second):
    with time_machine.travel(START - timedelta(days=900) + timedelta(seconds=second), tick=False):
        for candle in VENUE.candles(name, minutes, None, 2):
            trades = trades_between(name, candle.begins, candle.begins + timedelta(minutes=minutes))
            prices = [trade.price for trade in trades]
            assert (candle.open, candle.close) == (prices[0], prices[-1])
            assert (candle.low, candle.high) == (min(prices), max(prices))
            assert candle.volume == sum(trade.volume for trade in trades)
            assert candle.trades == len(trades)
            if minutes <= 60:
                average = sum(trade.price * trade.volume for trade in trades) / candle.volume
                assert 0 <= average - candle.average_price < VENUE.pair(name).tick_size


def test_long_candles_are_what_short_ones_add_up_to(clock):
    """A week of days, and the day under way of hours."""
    clock(6 * 86_400 + 4000)
    (*_, week) = VENUE.candles("SOLBTC", 10_080, None, 1)
    days = VENUE.candles("SOLBTC", 1440, week.begins - timedelta(microseconds=1), 24)
    hours = VENUE.candles("SOLBTC", 60, days[-1].begins - timedelta(microseconds=1), 24)
    for whole, parts in ((week, days), (days[-1], hours)):
        assert len(parts) > 1
        assert (whole.begins, whole.open, whole.close) == (parts[0].begins, parts[0].open, parts[-1].close)
        assert whole.high == max(part.high for part in parts)
        assert whole.low == min(part.low for part in parts)
        assert whole.volume == sum(part.volume for part in parts)
        assert whole.trades == sum(part.trades for part in parts)
        assert whole.low <= whole.average_price <= whole.high


@pytest.mark.parametrize("minutes", INTERVALS)
def test_intervals_are_counted_from_1970_and_follow_each_other(clock, minutes):
    found = VENUE.candles("XBTUSD", minutes, None, 3)
    width = timedelta(minutes=minutes)
    assert [(candle.begins - EPOCH) % width for candle in found] == [timedelta(0)] * 3
    assert [later.begins - candle.begins for candle, later in pairwise(found)] == [width] * 2
    assert found[-1].begins <= START < found[-1].begins + width


def test_candles_are_those_that_begin_after_a_moment_and_always_the_newest(clock):
    newest = VENUE.candles("XBTUSD", 1, None, 1)
    assert [candle.begins for candle in newest] == [START]
    minute = timedelta(minutes=1)
    since = [candle.begins for candle in VENUE.candles("XBTUSD", 1, START - 3 * minute, 10)]
    assert since == [START - 2 * minute, START - minute, START]
    assert VENUE.candles("XBTUSD", 1, START - 3 * minute, 2) == VENUE.candles("XBTUSD", 1, None, 2)
    assert VENUE.candles("XBTUSD", 1, START, 10) == newest
    assert VENUE.candles("XBTUSD", 1, START + timedelta(days=9), 10) == newest
    assert VENUE.candles("XBTUSD", 1, EPOCH - timedelta(days=9), 2) == VENUE.candles("XBTUSD", 1, None, 2)
    assert len(VENUE.candles("XBTUSD", 1, None, 10**9)) == candles.MOST_CANDLES
    with pytest.raises(UnknownPair):
        VENUE.candles("XBTDOGE", 1, None, 1)


def test_there_is_no_candle_from_before_the_exchange_opened(time_machine):
    time_machine.move_to(datetime(2024, 1, 1, 0, 2, 10, tzinfo=UTC), tick=False)
    assert [candle.begins.minute for candle in VENUE.candles("XBTUSD", 1, None, 9)] == [0, 1, 2]
    (fortnight,) = VENUE.candles("XBTUSD", 21_600, None, 9)
    assert fortnight.trades == 9
    assert fortnight.open == VENUE.candles("XBTUSD", 1, None, 3)[0].open


def test_prices_that_stand_still_have_flat_candles(clock, settings):
    settings.PAPER_PRICES = "still"
    for minutes in INTERVALS:
        (candle,) = VENUE.candles("XBTUSD", minutes, None, 1)
        assert {candle.open, candle.high, candle.low, candle.close, candle.average_price} == {Decimal("64000.0")}


def test_prices_of_a_file_have_candles_of_their_trades(prices, clock):
    prices((-7200, "XBT/USD", "60000"), (-3000, "XBT/USD", "70000"), (-1000, "XBT/USD", "50000"))
    hours = VENUE.candles("XBTUSD", 60, None, 3)
    shown = [tuple(map(int, (hour.open, hour.high, hour.low, hour.close))) for hour in hours[:2]]
    assert shown == [(60000, 60000, 60000, 60000), (60000, 70000, 50000, 50000)]
    (day,) = VENUE.candles("XBTUSD", 1440, None, 1)
    assert list(map(int, (day.high, day.low, day.close))) == [70000, 50000, 50000]


def test_what_is_over_is_sought_once_and_a_new_trade_costs_little(clock, monkeypatch):
    """Every interval of a pair, as a socket process follows them: thousands of prices at first, then some per trade."""
    for minutes in INTERVALS:
        VENUE.candles("ETHUSD", minutes, None, 13)
    asked: list[int] = []
    mid = Walk.mid

    def counted(self: Walk, pair_id: str, step: int) -> int:
        asked.append(step)
        return mid(self, pair_id, step)

    monkeypatch.setattr(Walk, "mid", counted)
    for second in range(1, 16):
        clock(second)
        for minutes in INTERVALS:
            VENUE.candles("ETHUSD", minutes, None, 13)
    assert asked == []
    clock(16)
    for minutes in INTERVALS:
        VENUE.candles("ETHUSD", minutes, None, 13)
    assert len(asked) < 600
