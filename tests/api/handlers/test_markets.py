"""What anybody may ask about a pair."""

import pytest
import time_machine
from django.utils import timezone

from portal.venues.paper.prices import markets
from tests.api.calls import ask_public, only_error

pytestmark = pytest.mark.django_db


def result(method: str, **fields: str):
    answer = ask_public(method, **fields)
    assert answer["error"] == [], answer
    return answer["result"]


def test_a_ticker_has_the_protocols_fields():
    (row,) = result("Ticker", pair="BTC/USD").values()
    assert list(row) == ["a", "b", "c", "v", "p", "t", "l", "h", "o"]
    assert [len(row[name]) for name in "abcvptlh"] == [3, 3, 2, 2, 2, 2, 2, 2]
    assert float(row["b"][0]) < float(row["a"][0])
    assert float(row["l"][1]) <= float(row["c"][0]) <= float(row["h"][1])
    assert all(isinstance(count, int) for count in row["t"])
    assert row["a"][1].isdigit()


def test_tickers_of_all_pairs_or_some_under_canonical_ids():
    assert result("Ticker").keys() == result("AssetPairs").keys()
    assert list(result("Ticker", pair="XBTUSD,ETHUSD")) == ["XXBTZUSD", "XETHZUSD"]


def test_the_book_is_as_deep_as_asked_and_best_first():
    book = result("Depth", pair="XBTUSD", count="3")["XXBTZUSD"]
    for side, better in (("asks", 1), ("bids", -1)):
        prices = [float(level[0]) * better for level in book[side]]
        assert 0 < len(prices) <= 3
        assert prices == sorted(prices)
        assert isinstance(book[side][0][2], int)
    (ticker,) = result("Ticker", pair="XBTUSD").values()
    assert float(book["bids"][0][0]) < float(book["asks"][0][0])
    assert ticker["a"][0].count(".") == 1


def test_trades_go_on_from_the_last():
    first = result("Trades", pair="XBTUSD", count="3")
    rows = first["XXBTZUSD"]
    assert len(rows) == 3
    assert [row[2] for row in rows] == sorted(row[2] for row in rows)
    assert {row[3] for row in rows} <= {"b", "s"}
    assert {row[4] for row in rows} <= {"m", "l"}
    assert first["last"] == str(int(rows[-1][2]) * 10**9)
    before = str(int(first["last"]) - 120 * 10**9)
    page = result("Trades", pair="XBTUSD", since=before, count="2")
    again = result("Trades", pair="XBTUSD", since=page["last"], count="2")["XXBTZUSD"]
    assert page["XXBTZUSD"][-1][6] < again[0][6]
    by_seconds = result("Trades", pair="XBTUSD", since=str(int(before) // 10**9), count="2")
    assert by_seconds["XXBTZUSD"] == page["XXBTZUSD"]


def test_the_spread_of_the_last_while():
    answer = result("Spread", pair="XBTUSD")
    rows = answer["XXBTZUSD"]
    assert all(float(bid) < float(ask) for _, bid, ask in rows)
    assert answer["last"] == rows[-1][0]
    assert all(row[0] > rows[-3][0] for row in result("Spread", pair="XBTUSD", since=str(rows[-3][0]))["XXBTZUSD"])


@pytest.mark.parametrize("method", ["Ticker", "Depth", "Trades", "Spread", "AssetPairs"])
def test_unknown_pairs(method):
    assert only_error(ask_public(method, pair="XBTXYZ")) == "EQuery:Unknown asset pair"


@pytest.mark.parametrize("method", ["Depth", "Trades", "Spread"])
def test_a_pair_must_be_named(method):
    assert only_error(ask_public(method)) == "EGeneral:Invalid arguments"


def test_limits_are_limits():
    """IN-3: page sizes are closed sets with caps."""
    for method, count in (("Depth", "0"), ("Depth", "501"), ("Trades", "1001"), ("Trades", "-1")):
        assert only_error(ask_public(method, pair="XBTUSD", count=count)) == "EGeneral:Invalid arguments"


def test_the_fees_of_a_pair_are_its_tiers():
    row = result("AssetPairs", pair="XBTUSD", info="fees")["XXBTZUSD"]
    for side in ("fees", "fees_maker"):
        assert row[side][0][0] == 0
        volumes, percents = zip(*row[side], strict=True)
        assert list(volumes) == sorted(volumes)
        assert list(percents) == sorted(percents, reverse=True)


def test_tickers_are_made_once_in_a_step_whoever_asks_how_often(monkeypatch):
    """fault security-L8: all pairs cost 32 ms each time, and 50 calls a second are within the limits."""
    made = []
    original = markets._levels

    def levels(*args):
        made.append(args)
        return original(*args)

    monkeypatch.setattr(markets, "_levels", levels)
    markets._ticker.cache_clear()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first = result("Ticker")
        cost = len(made)
        assert cost > 0
        assert result("Ticker") == first
        assert len(made) == cost
        clock.shift(60)
        assert result("Ticker") != first
