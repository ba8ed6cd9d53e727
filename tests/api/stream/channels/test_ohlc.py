"""The channel `ohlc`."""

from datetime import datetime

import pytest

from portal.api.stream.channels import ohlc
from portal.api.stream.channels.public import Refused
from portal.venues.paper.venue import PaperVenue
from tests.api.stream.channels.wire import told

VENUE = PaperVenue()
PAIR = VENUE.pair("BTC/USD")


def read(**fields):
    return ohlc.read({"channel": "ohlc", "symbol": ["BTC/USD"], **fields})


def test_a_candle_is_told_with_the_fields_of_the_protocol(clock):
    clock(299)
    none, state = ohlc.update(VENUE, PAIR, read(interval=5), None)
    rows = told(ohlc.snapshot(PAIR, read(interval=5), state))
    trades = [trade for trade in VENUE.public_trades("BTC/USD", None, 30) if trade.at >= datetime.fromisoformat(
        "2026-11-02T12:00:00Z"
    )]  # fmt: skip
    prices, volume = [trade.price for trade in trades], sum(trade.volume for trade in trades)
    vwap = sum(trade.price * trade.volume for trade in trades) / volume
    assert none == []
    assert len(rows) == 13
    assert len(trades) == 19
    assert 0 <= vwap - rows[-1].pop("vwap") < PAIR.tick_size
    assert rows[-1] == {
        "symbol": "BTC/USD", "open": prices[0], "high": max(prices), "low": min(prices), "close": prices[-1],
        "trades": 19, "volume": volume, "interval_begin": "2026-11-02T12:00:00.000000000Z", "interval": 5,
        "timestamp": "2026-11-02T12:05:00.000000Z",
    }  # fmt: skip
    assert rows[0]["interval_begin"] == "2026-11-02T11:00:00.000000000Z"


def test_an_update_comes_with_each_trade_and_is_the_candle_under_way(clock):
    (_, state), seen = ohlc.update(VENUE, PAIR, read(), None), []
    for second in range(1, 81):
        clock(second)
        rows, state = ohlc.update(VENUE, PAIR, read(), state)
        seen += [(second, row["interval_begin"][14:19], row["trades"]) for row in told(rows)]
    assert seen == [(16, "00:00", 2), (32, "00:00", 3), (48, "00:00", 4), (64, "01:00", 1), (80, "01:00", 2)]


def test_after_a_pause_the_candle_that_ended_meanwhile_is_told_to_its_end(clock):
    clock(30)
    _, state = ohlc.update(VENUE, PAIR, read(), None)
    clock(130)
    rows, later = ohlc.update(VENUE, PAIR, read(), state)
    assert [(row["interval_begin"][14:19], row["trades"]) for row in told(rows)] == [
        ("00:00", 4), ("01:00", 4), ("02:00", 1),
    ]  # fmt: skip
    _, fresh = ohlc.update(VENUE, PAIR, read(), None)
    assert later == fresh


def test_after_a_long_pause_as_much_is_told_as_a_snapshot_has(clock):
    _, state = ohlc.update(VENUE, PAIR, read(), None)
    clock(3600)
    rows, later = ohlc.update(VENUE, PAIR, read(), state)
    assert told(rows) == told(ohlc.snapshot(PAIR, read(), later))
    assert len(rows) == 13


@pytest.mark.parametrize("interval", ohlc.INTERVALS)
def test_whoever_applies_all_updates_has_what_a_snapshot_would_tell(clock, interval):
    options = read(interval=interval)
    _, state = ohlc.update(VENUE, PAIR, options, None)
    kept = {row["interval_begin"]: row for row in told(ohlc.snapshot(PAIR, options, state))}
    for second in (1, 40, 61, 300, 301, 3000):
        clock(second)
        rows, state = ohlc.update(VENUE, PAIR, options, state)
        kept |= {row["interval_begin"]: row for row in told(rows)}
    _, fresh = ohlc.update(VENUE, PAIR, options, None)
    rows = told(ohlc.snapshot(PAIR, options, fresh))
    assert [kept[row["interval_begin"]] for row in rows] == rows
    assert {row["interval"] for row in rows} == {interval}


def test_the_acknowledgement_warns_as_the_exchange_does():
    assert ohlc.result(read(interval=60), "BTC/USD") == {
        "channel": "ohlc", "symbol": "BTC/USD", "interval": 60, "snapshot": True,
        "warnings": ["timestamp is deprecated, use interval_begin"],
    }  # fmt: skip
    assert read() == read(interval=1, snapshot=False)
    assert read() != read(interval=5)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"interval": 2}, "Subscription ohlc interval not supported"),
        ({"interval": 0}, "Subscription ohlc interval not supported"),
        ({"interval": "5"}, "Subscription ohlc interval must be an integer"),
        ({"interval": True}, "Subscription ohlc interval must be an integer"),
        ({"depth": 10}, "Unsupported field: 'depth' for the given msg type: subscribe"),
    ],
)
def test_what_it_does_not_know_is_refused(fields, error):
    with pytest.raises(Refused) as refused:
        read(**fields)
    assert refused.value.text == error
