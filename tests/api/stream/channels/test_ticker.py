"""The channel `ticker`."""

import pytest

from portal.api.stream.channels import ticker
from portal.api.stream.channels.public import Refused
from portal.venues.paper.venue import PaperVenue
from tests.api.stream.channels.wire import told

VENUE = PaperVenue()
PAIR = VENUE.pair("BTC/USD")


def read(**fields):
    return ticker.read({"channel": "ticker", "symbol": ["BTC/USD"], **fields})


def test_a_ticker_is_told_whole_with_the_fields_of_the_protocol(clock):
    rows, state = ticker.update(VENUE, PAIR, read(), None)
    (row,) = told(ticker.snapshot(PAIR, read(), state))
    (venue,) = VENUE.tickers(["BTC/USD"])
    assert rows == []
    assert list(row) == [
        "symbol", "bid", "bid_qty", "ask", "ask_qty", "last", "volume", "vwap", "low", "high", "change", "change_pct",
        "trades", "timestamp",
    ]  # fmt: skip
    assert row["symbol"] == "BTC/USD"
    assert (row["bid"], row["ask"], row["bid_qty"]) == (venue.bid.price, venue.ask.price, venue.bid.volume)
    assert (row["last"], row["volume"], row["trades"]) == (venue.last.price, venue.day.volume, venue.day.trades)
    assert row["timestamp"] == "2026-11-02T12:00:00.000000Z"


def test_the_change_is_since_the_trade_of_a_day_before(clock):
    clock(-86_400)
    (before,) = VENUE.tickers(["BTC/USD"])
    clock(0)
    _, state = ticker.update(VENUE, PAIR, read(), None)
    (row,) = told(ticker.snapshot(PAIR, read(), state))
    change = row["last"] - before.last.price
    assert change != 0
    assert row["change"] == change
    assert row["change_pct"] == round(change * 100 / before.last.price, 2)


def test_updates_come_with_each_trade_and_no_others(clock):
    (_, state), seen = ticker.update(VENUE, PAIR, read(), None), []
    for second in range(1, 65):
        clock(second)
        rows, state = ticker.update(VENUE, PAIR, read(), state)
        seen += [(second, row["last"]) for row in told(rows)]
    trades = VENUE.public_trades("BTC/USD", None, 4)
    assert seen == [(second, trade.price) for second, trade in zip((16, 32, 48, 64), trades, strict=True)]


def test_updates_come_with_each_change_of_the_best_prices_if_asked(clock):
    options = read(event_trigger="bbo")
    (_, state), best = ticker.update(VENUE, PAIR, options, None), None
    quotes = [(quote.bid, quote.ask) for quote in VENUE.spread("BTC/USD", None)][-1:]
    for second in range(1, 40):
        clock(second)
        quotes.append((VENUE.depth("BTC/USD", 1).bids[0].price, VENUE.depth("BTC/USD", 1).asks[0].price))
        rows, state = ticker.update(VENUE, PAIR, options, state)
        assert bool(rows) == (quotes[-1] != quotes[-2])
        best = told(rows)[-1] if rows else best
    assert best is not None
    assert (best["bid"], best["ask"]) == quotes[-1]


def test_who_comes_between_two_trades_sees_the_prices_of_now(clock):
    _, state = ticker.update(VENUE, PAIR, read(), None)
    clock(9)
    rows, state = ticker.update(VENUE, PAIR, read(), state)
    (row,) = told(ticker.snapshot(PAIR, read(), state))
    assert rows == []
    assert row["ask"] == VENUE.depth("BTC/USD", 1).asks[0].price
    assert row["timestamp"] == "2026-11-02T12:00:09.000000Z"


def test_prices_that_stand_still_are_told_with_each_trade_all_the_same(clock, settings):
    settings.PAPER_PRICES = "still"
    _, state = ticker.update(VENUE, PAIR, read(), None)
    clock(16)
    rows, state = ticker.update(VENUE, PAIR, read(), state)
    assert len(rows) == 1
    assert told(rows)[0]["change_pct"] == 0


def test_one_ticker_serves_all_who_are_told_the_same():
    assert read() == read(snapshot=False, event_trigger="trades")
    assert hash(read()) == hash(read(snapshot=False))
    assert read() != read(event_trigger="bbo")


def test_the_acknowledgement_says_what_counts():
    assert ticker.result(read(snapshot=False), "BTC/USD") == {
        "channel": "ticker", "symbol": "BTC/USD", "event_trigger": "trades", "snapshot": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"depth": 10}, "Unsupported field: 'depth' for the given msg type: subscribe"),
        ({"event_trigger": "never"}, "Event trigger not supported"),
        ({"event_trigger": ["trades"]}, "Event trigger not supported"),
        ({"event_trigger": None}, "Event trigger not supported"),
        ({"snapshot": "yes"}, "Snapshot field must be a boolean"),
        ({"snapshot": 1}, "Snapshot field must be a boolean"),
    ],
)
def test_what_it_does_not_know_is_refused(fields, error):
    with pytest.raises(Refused) as refused:
        read(**fields)
    assert refused.value.text == error
