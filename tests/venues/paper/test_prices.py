"""Reference prices: the same at every look, on every node, and found without looking at every step."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from portal.venues.paper import catalogue
from portal.venues.paper.prices import markets, public_trades, quotes, source
from portal.venues.paper.prices.pairs import MARKETS, REFERENCES
from portal.venues.paper.prices.path import TRADE_OCTAVE, step_at
from portal.venues.paper.prices.walk import Walk
from portal.venues.paper.venue import PaperVenue
from portal.venues.types import Side
from tests.venues.conftest import START

VENUE = PaperVenue()
STEPS = st.integers(1_700_000_000, 1_900_000_000)
PAIRS = st.sampled_from(sorted(MARKETS))


def test_every_pair_has_a_market():
    assert set(MARKETS) == {pair.id for pair in catalogue.PAIRS}


def test_a_walk_is_the_same_wherever_it_is_entered():
    """Fixed values: whoever changes the walk moves every price that people have seen."""
    walk = Walk("1")

    assert [walk.mid("XXBTZUSD", 1_790_000_000 + step) for step in range(4)] == [692599, 692549, 692647, 692535]
    assert Walk("1").mid("XXBTZUSD", 1_790_000_000) == 692599
    assert Walk("2").mid("XXBTZUSD", 1_790_000_000) != 692599


@trying(max_examples=30, deadline=None)
@given(pair=PAIRS, step=STEPS)
def test_a_walk_stays_near_where_it_began_and_moves_little_at_once(pair, step):
    walk, market = Walk("1"), MARKETS[pair]
    now, then = walk.mid(pair, step), walk.mid(pair, step + 1)
    swings = [REFERENCES[asset.id].swing for asset in (market.pair.base, market.pair.quote) if asset.id in REFERENCES]
    # What a quote loses makes a price rise by more than that: by 1 / (1 - loss).
    most = sum(swing * 35 * 10**8 // (10**9 - swing * 35) for swing in swings)
    assert abs(now - market.start) <= market.start * most * 3 // 2 // 10**8 + 1
    assert abs(now - then) <= now * sum(swings) // 10**8 // 25 + 2


@trying(max_examples=30, deadline=None)
@given(pair=PAIRS, step=STEPS, length=st.integers(1, 3000), side=st.sampled_from(Side), thousandths=st.integers(0, 8))
def test_a_crossing_is_found_where_a_look_at_every_step_finds_it(pair, step, length, side, thousandths):
    walk = Walk("1")
    mid = walk.mid(pair, step)
    limit = mid + (-1 if side is Side.BUY else 1) * mid * thousandths // 1000
    crosses = partial(quotes.crosses, side, pair, limit)
    steps = range(step + 1, step + length + 1)
    plainly = next((at for at in steps if crosses(walk.mid(pair, at), walk.mid(pair, at))), None)

    found = walk.first(pair, step, step + length, crosses)

    assert found.step == plainly
    assert found.examined == (plainly or step + length)


@trying(max_examples=20, deadline=None)
@given(pair=PAIRS, step=STEPS, length=st.integers(0, 150))
def test_extremes_are_those_of_every_trade(pair, step, length):
    walk, first = Walk("1"), step >> TRADE_OCTAVE
    all_of_them = [walk.mid(pair, number << TRADE_OCTAVE) for number in range(first, first + length + 1)]
    assert walk.extremes(pair, first, first + length) == (min(all_of_them), max(all_of_them))


def test_prices_of_a_file_are_in_force_until_the_next(prices):
    prices((10, "XBT/USD", "60100.5"), (0, "XBTUSD", "60000"))
    path, start = source.path(), step_at(START)

    assert [path.mid("XXBTZUSD", start + second) for second in (-5, 0, 9, 10, 99)] == [
        600000, 600000, 600000, 601005, 601005,
    ]  # fmt: skip
    assert path.mid("XETHZUSD", start) == MARKETS["XETHZUSD"].start
    rises = partial(quotes.crosses, Side.SELL, "XXBTZUSD", 600500)
    assert path.first("XXBTZUSD", start, start + 100, rises).step == start + 10
    assert path.first("XXBTZUSD", start, start + 9, rises).step is None


def test_the_highest_and_lowest_of_a_file_are_those_of_its_trades(prices, clock):
    """What a file says within one trade's seconds, and takes back in them, is no price that anybody traded at."""
    told = ((0, "60000"), (33, "65000"), (40, "61000"), (64, "58000"), (96, "59000"))
    prices(*((second, "XBTUSD", price) for second, price in told))
    clock(0)
    path, first = source.path(), step_at(START) >> TRADE_OCTAVE

    assert path.extremes("XXBTZUSD", first, first + 7) == (580000, 610000)
    assert path.extremes("XXBTZUSD", first, first + 3) == (600000, 610000)
    assert path.extremes("XXBTZUSD", first + 7, first + 9) == (590000, 590000)
    assert path.extremes("XETHZUSD", first, first + 9) == (MARKETS["XETHZUSD"].start,) * 2


def test_a_file_tells_times_in_seconds_or_in_iso_8601_where_utc_is_meant_without_a_zone(settings, tmp_path):
    lines = ["2026-11-02T12:00:00,XBTUSD,60000", "2026-11-02T13:00:10+01:00,XBTUSD,61000"]
    (tmp_path / "prices.csv").write_text("\n".join([*lines, f"{START.timestamp() + 20},XBTUSD,62000"]))
    settings.PAPER_PRICES = f"csv:{tmp_path / 'prices.csv'}"
    path, start = source.path(), step_at(START)

    assert [path.mid("XXBTZUSD", start + second) for second in (9, 10, 19, 20)] == [600000, 610000, 610000, 620000]
    assert path.first("XXBTZUSD", start + 9, start + 9, lambda _low, _high: True).step is None


def test_prices_can_stand_still(settings):
    settings.PAPER_PRICES = "still"
    path = source.path()

    assert path.mid("XXBTZUSD", 5) == path.mid("XXBTZUSD", 10**9) == 640000
    assert path.first("XXBTZUSD", 5, 10, lambda low, high: low == high == 640000).step == 6


@pytest.mark.parametrize("text", ["", "walk:", "csv:", "csv:/nowhere/at.all", "random", "still:1"])
def test_prices_that_cannot_be_are_said_at_once(settings, text):
    settings.PAPER_PRICES = text
    with pytest.raises(ImproperlyConfigured, match="PORTAL_PAPER_PRICES"):
        source.path()


@pytest.mark.parametrize(
    "line",
    ["1,XBTUSD", "x,XBTUSD,1", "1,DOGEUSD,1", "1,XBTUSD,-1", "1,XBTUSD,1.123456", "1,XBTEUR,59000", "1,SOLXBT,0.002"],
)
def test_a_bad_line_of_prices_is_named(settings, tmp_path, line):
    (tmp_path / "prices.csv").write_text(f"0,XBTUSD,60000\n{line}\n")
    settings.PAPER_PRICES = f"csv:{tmp_path / 'prices.csv'}"
    with pytest.raises(ImproperlyConfigured, match="line 2"):
        source.path()


@trying(max_examples=50, deadline=None)
@given(pair=PAIRS, mid=st.integers(1, 10**9))
def test_the_best_prices_never_meet_and_move_with_the_reference(pair, mid):
    assert quotes.bid(pair, mid) <= mid < quotes.ask(pair, mid)
    assert quotes.bid(pair, mid) <= quotes.bid(pair, mid + 1)
    assert quotes.ask(pair, mid) <= quotes.ask(pair, mid + 1)


def test_the_ticker_agrees_with_the_book_and_the_trades(clock):
    clock(0)
    (ticker,) = VENUE.tickers(["XBTUSD"])
    book, trades = VENUE.depth("BTC/USD", 5), VENUE.public_trades("XXBTZUSD", None, 3)

    assert (ticker.ask, ticker.bid) == (book.asks[0], book.bids[0])
    assert len(book.asks) == len(book.bids) == 5
    assert ticker.last.price == trades[-1].price
    assert ticker.day.low <= ticker.today.low <= ticker.last.price <= ticker.today.high <= ticker.day.high
    assert ticker.day.low <= ticker.day.average_price <= ticker.day.high
    assert 0 < ticker.today.volume < ticker.day.volume
    assert ticker.bid.price < ticker.ask.price
    assert ticker.ask.price == ticker.ask.price.quantize(Decimal("0.1"))


def test_all_pairs_have_a_ticker(settings):
    settings.PAPER_PRICES = "still"
    assert [ticker.pair for ticker in VENUE.tickers([])] == list(catalogue.PAIRS)


def test_public_trades_go_on_where_the_last_look_ended(clock):
    clock(0)
    first = VENUE.public_trades("XBTUSD", None, 5)
    clock(160)
    later = VENUE.public_trades("XBTUSD", first[-1].at, 1000)

    assert [trade.number for trade in first] == list(range(first[0].number, first[0].number + 5))
    assert [trade.number for trade in later] == list(range(first[-1].number + 1, first[-1].number + 11))
    assert len(VENUE.public_trades("XBTUSD", START.replace(year=2020), 1000)) == 1000


def counting_prices(monkeypatch) -> list[int]:
    """One entry for each price that is worked out from here on."""
    asked: list[int] = []
    mid = Walk.mid

    def counted(self: Walk, pair_id: str, step: int) -> int:
        asked.append(step)
        return mid(self, pair_id, step)

    monkeypatch.setattr(Walk, "mid", counted)
    return asked


def test_a_page_of_trades_is_not_made_up_for_each_who_asks(clock, monkeypatch):
    """A stranger's poll must not cost a thousand prices each time; what it tells stays the same."""
    path, pair = source.path(), catalogue.pair("XBTUSD")
    for since in (None, START - timedelta(hours=7), START - timedelta(seconds=40), START + timedelta(hours=1)):
        for count in (1, 3, 200, 1000):
            seen = VENUE.public_trades("XBTUSD", since, count)
            assert list(seen) == [public_trades.trade(path, pair, trade.number) for trade in seen]
            numbers = [trade.number for trade in seen]
            assert numbers == list(range(min(numbers, default=0), max(numbers, default=-1) + 1))
    asked = counting_prices(monkeypatch)
    VENUE.public_trades("XBTUSD", None, 1000)
    clock(16)
    VENUE.public_trades("XBTUSD", None, 1000)
    assert len(asked) < 200


def test_a_ticker_is_not_sought_anew_in_each_second(clock, monkeypatch):
    """fault security-L8: nor must a poll of all pairs cost three thousand prices a second.

    A stranger's twelve connections, none of them refused, kept both processes at it: `Balance` took 300 ms.
    """
    clock(1)
    VENUE.tickers(())
    asked = counting_prices(monkeypatch)
    clock(2)
    VENUE.tickers(())
    assert 0 < len(asked) <= 4 * len(catalogue.PAIRS)


def test_a_ticker_is_sought_once_however_many_ask_at_the_same_moment(clock, monkeypatch):
    """Eight threads that each found nothing remembered would each seek the same, and hold up whoever else asks."""
    sought = []
    original = markets._window

    def slow(*args):
        sought.append(args)
        time.sleep(0.05)
        return original(*args)

    clock(10_000)
    monkeypatch.setattr(markets, "_window", slow)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: VENUE.tickers(["XBTUSD"]), range(8)))
    assert all(tickers == found[0] for tickers in found)
    assert len(sought) == len(set(sought)) == 2


def test_best_prices_are_not_made_up_for_each_who_asks(clock, monkeypatch):
    """Nor must a poll of the spread cost the two hundred that were told a second ago."""
    before = VENUE.spread("XBTUSD", None)
    asked = counting_prices(monkeypatch)
    clock(1)
    assert list(VENUE.spread("XBTUSD", None))[:-1] == list(before)[1:]
    assert len(asked) == 1


def test_the_traded_volume_is_what_the_trades_add_up_to(clock):
    clock(16 * 40 - (int(START.timestamp()) % 16))
    before = VENUE.tickers(["ETHUSD"])[0]
    clock(16 * 45 - (int(START.timestamp()) % 16))
    after = VENUE.tickers(["ETHUSD"])[0]

    assert after.today.trades - before.today.trades == 5
    added = sum(trade.volume for trade in VENUE.public_trades("ETHUSD", None, 5))
    assert after.today.volume - before.today.volume == added


def test_the_spread_tells_the_best_prices_of_each_second(clock):
    clock(0)
    rows = VENUE.spread("XBTUSD", None)
    assert len(rows) == 200
    best = VENUE.depth("XBTUSD", 1)
    assert (rows[-1].bid, rows[-1].ask) == (best.bids[0].price, best.asks[0].price)
    assert VENUE.spread("XBTUSD", rows[-3].at) == rows[-2:]


def test_what_an_amount_is_worth_goes_through_dollars_if_it_must(settings):
    settings.PAPER_PRICES = "still"
    assert VENUE.convert("XBT", 10**10, "USD") == Decimal("64000.0000")
    assert VENUE.convert("USD", 64000 * 10**4, "XBT") == Decimal("1.0000000000")
    assert VENUE.convert("SOL", 10**10, "USDC") == Decimal("150.00000000")
    assert VENUE.convert("EUR", 10**4, "EUR") == Decimal("1.0000")
