"""The channel `trade`."""

from decimal import Decimal
from types import SimpleNamespace

import pytest

from portal.api.stream.channels import trade
from portal.api.stream.channels.public import Refused
from portal.venues.paper.venue import PaperVenue
from portal.venues.types import PublicTrade
from tests.api.stream.channels.conftest import START
from tests.api.stream.channels.wire import told

VENUE = PaperVenue()
PAIR = VENUE.pair("BTC/USD")


def read(**fields):
    return trade.read({"channel": "trade", "symbol": ["BTC/USD"], **fields})


def test_a_trade_is_told_with_the_fields_of_the_protocol(clock):
    none, state = trade.update(VENUE, PAIR, read(), None)
    rows = told(trade.snapshot(PAIR, read(), state))
    last = VENUE.public_trades("BTC/USD", None, 1)[0]
    assert none == []
    assert len(rows) == 50
    assert rows[-1] == {
        "symbol": "BTC/USD",
        "side": "buy" if last.is_buy else "sell",
        "price": last.price,
        "qty": last.volume,
        "ord_type": "market",
        "trade_id": last.number,
        "timestamp": "2026-11-02T12:00:00.000000Z",
    }
    assert [row["trade_id"] for row in rows] == list(range(last.number - 49, last.number + 1))
    assert {row["side"] for row in rows} == {"buy", "sell"}


def test_each_trade_is_told_once_whoever_joins_when(clock):
    (_, state), seen, joined = trade.update(VENUE, PAIR, read(), None), [], []
    begin = state.trades[-1].number
    for second in (1, 15, 16, 17, 31, 100, 100, 1000):
        clock(second)
        rows, state = trade.update(VENUE, PAIR, read(), state)
        seen += [row["trade_id"] for row in told(rows)]
        joined.append([row["trade_id"] for row in told(trade.snapshot(PAIR, read(), state))])
    assert seen == list(range(begin + 1, begin + 1 + 1000 // 16))
    assert [numbers[-1] - begin for numbers in joined] == [0, 0, 1, 1, 1, 6, 6, 62]
    assert all(len(numbers) == 50 for numbers in joined)


def test_after_a_long_silence_trades_come_a_thousand_at_a_time_and_none_is_left_out(clock):
    (_, state), seen = trade.update(VENUE, PAIR, read(), None), []
    begin = state.trades[-1].number
    clock(16 * 2500)
    counts = []
    for _ in range(4):
        rows, state = trade.update(VENUE, PAIR, read(), state)
        counts.append(len(rows))
        seen += [row["trade_id"] for row in told(rows)]
    assert counts == [1000, 1000, 500, 0]
    assert seen == list(range(begin + 1, begin + 2501))


def test_the_first_trade_of_a_new_pair_is_told():
    first = PublicTrade(1, START, Decimal("64000.0"), Decimal("0.5"), is_buy=True, is_market=False)
    trades: list[PublicTrade] = []
    venue = SimpleNamespace(public_trades=lambda name, since, count: list(trades))
    _, state = trade.update(venue, PAIR, read(), None)
    assert trade.snapshot(PAIR, read(), state) == []
    assert trade.update(venue, PAIR, read(), state) == ([], state)
    trades.append(first)
    (row,), state = trade.update(venue, PAIR, read(), state)
    assert (row["trade_id"], row["ord_type"]) == (1, "limit")


def test_there_is_no_snapshot_unless_it_is_asked_for():
    assert trade.result(read(), "BTC/USD") == {"channel": "trade", "symbol": "BTC/USD", "snapshot": False}
    assert trade.result(read(snapshot=True), "BTC/USD")["snapshot"] is True
    assert read() == read(snapshot=True)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"depth": 10}, "Unsupported field: 'depth' for the given msg type: subscribe"),
        ({"snapshot": "true"}, "Snapshot field must be a boolean"),
    ],
)
def test_what_it_does_not_know_is_refused(fields, error):
    with pytest.raises(Refused) as refused:
        read(**fields)
    assert refused.value.text == error
