"""The channel `book`: whoever applies what it tells, as clients do, has the venue's book at each moment."""

from decimal import Decimal
from types import SimpleNamespace

import pytest
import time_machine
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from portal.api.stream.channels import book
from portal.api.stream.channels.checksum import checksum
from portal.api.stream.channels.public import Refused
from portal.venues.paper.venue import PaperVenue
from portal.venues.types import Book, Level
from tests.api.stream.channels.conftest import START
from tests.api.stream.channels.wire import told

VENUE = PaperVenue()
PAIR = VENUE.pair("BTC/USD")
NAMES = [pair.id for pair in VENUE.pairs()]


class CutsAfterEachLevel:
    """A client as python-kraken-sdk has it: asks before bids, cut after each level."""

    def __init__(self, depth):
        self.depth, self.asks, self.bids = depth, [], []

    def take(self, row):
        for level in row["asks"]:
            self.asks = self.cut(self.asks, level, better=1)
        for level in row["bids"]:
            self.bids = self.cut(self.bids, level, better=-1)

    def cut(self, side, level, *, better):
        there = {**dict(side), level["price"]: level["qty"]}
        kept = sorted(((price, qty) for price, qty in there.items() if qty), key=lambda each: better * each[0])
        return kept[: self.depth]


class CutsOnce(CutsAfterEachLevel):
    """A client as the exchange describes one, and as ccxt has it: all levels first, then cut."""

    def take(self, row):
        depth, self.depth = self.depth, 10**6
        super().take(row)
        self.depth = depth
        self.asks, self.bids = self.asks[:depth], self.bids[:depth]


def read(**fields):
    return book.read({"channel": "book", "symbol": ["BTC/USD"], **fields})


def levels(side):
    return [(level.price, level.volume) for level in side]


def agrees(clients, row, there, pair):
    """Both kinds of clients hold the venue's book after that row, and its checksum is theirs."""
    places = {"price_places": pair.price_decimals, "volume_places": pair.volume_decimals}
    for client in clients:
        client.take(row)
        assert (client.asks, client.bids) == (levels(there.asks), levels(there.bids))
        assert row["checksum"] == checksum(client.asks, client.bids, **places)


@pytest.mark.parametrize("name", NAMES)
@trying(max_examples=8, deadline=None)
@given(depth=st.sampled_from(book.DEPTHS), gaps=st.lists(st.integers(1, 3000), min_size=1, max_size=8))
def test_a_client_that_applies_all_updates_has_the_venues_book(name, depth, gaps):
    pair, options, clients = VENUE.pair(name), read(depth=depth), [CutsAfterEachLevel(depth), CutsOnce(depth)]
    with time_machine.travel(START, tick=False) as clock:
        none, state = book.update(VENUE, pair, options, None)
        (row,) = told(book.snapshot(pair, options, state))
        assert none == []
        agrees(clients, row, VENUE.depth(name, depth), pair)
        for gap in gaps:
            clock.shift(gap)
            rows, state = book.update(VENUE, pair, options, state)
            (row,) = told(rows)
            agrees(clients, row, VENUE.depth(name, depth), pair)


def side(lowest, highest):
    """A side with more or fewer levels than the depth, at prices near each other."""
    return st.dictionaries(st.integers(lowest, highest), st.integers(1, 3), max_size=16)


@trying(max_examples=120, deadline=None)
@given(moments=st.lists(st.tuples(side(41, 70), side(10, 40)), min_size=2, max_size=8), joins=st.integers(0, 7))
def test_a_book_of_any_shape_is_followed_by_whoever_joins_at_whichever_moment(moments, joins):
    """Sides that are thin, empty or deeper than asked; the same state serves who was there and who joins."""
    at, state = START, None
    clients: list[CutsAfterEachLevel] = []
    for place, (asks, bids) in enumerate(moments):
        offers = [
            [Level(Decimal(price) / 10, Decimal(units), at) for price, units in side.items()] for side in (asks, bids)
        ]
        there = Book(
            PAIR,
            asks=tuple(sorted(offers[0], key=lambda level: level.price)[:10]),
            bids=tuple(sorted(offers[1], key=lambda level: -level.price)[:10]),
        )
        venue = SimpleNamespace(depth=lambda name, count, there=there: there)
        rows, state = book.update(venue, PAIR, read(), state)
        for row in told(rows):
            agrees(clients, row, there, PAIR)
        if place in {0, joins}:
            joining = [CutsAfterEachLevel(10), CutsOnce(10)]
            (row,) = told(book.snapshot(PAIR, read(), state))
            agrees(joining, row, there, PAIR)
            clients += joining


def test_nothing_is_told_while_the_book_stays_as_it_is(clock, settings):
    settings.PAPER_PRICES = "still"
    _, state = book.update(VENUE, PAIR, read(), None)
    clock(60)
    assert book.update(VENUE, PAIR, read(), state)[0] == []


def test_what_a_full_side_pushes_out_is_not_told(clock):
    """The exchange says nothing of it, and its clients cut their books."""
    _, state = book.update(VENUE, PAIR, read(), None)
    told_of = 0
    for second in range(1, 30):
        clock(second)
        rows, now = book.update(VENUE, PAIR, read(), state)
        (row,) = told(rows)
        worst = {"asks": max(now.asks)[0], "bids": min(now.bids)[0]}
        gone = {name: [level["price"] for level in row[name] if not level["qty"]] for name in worst}
        assert all(price < worst["asks"] for price in gone["asks"])
        assert all(price > worst["bids"] for price in gone["bids"])
        told_of += len(gone["asks"]) + len(gone["bids"])
        state = now
    assert told_of > 0


def test_a_snapshot_has_as_many_levels_as_asked_or_as_there_are(clock):
    for depth, there in ((10, 10), (25, 25), (100, 50), (500, 50), (1000, 50)):
        options = read(depth=depth)
        _, state = book.update(VENUE, PAIR, options, None)
        (row,) = told(book.snapshot(PAIR, options, state))
        assert list(row) == ["symbol", "bids", "asks", "checksum", "timestamp"]
        assert (len(row["bids"]), len(row["asks"])) == (there, there)
        assert (row["symbol"], row["timestamp"]) == ("BTC/USD", "2026-11-02T12:00:00.000000Z")


def test_the_acknowledgement_says_what_counts():
    assert book.result(read(), "BTC/USD") == {
        "channel": "book", "symbol": "BTC/USD", "depth": 10, "snapshot": True,
    }  # fmt: skip
    assert read() == read(depth=10, snapshot=False)
    assert read() != read(depth=25)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"depth": 50}, "Subscription depth not supported"),
        ({"depth": 0}, "Subscription depth not supported"),
        ({"depth": "10"}, "Subscription book depth must be an integer"),
        ({"depth": 10.0}, "Subscription book depth must be an integer"),
        ({"depth": True}, "Subscription book depth must be an integer"),
        ({"depth": None}, "Subscription book depth must be an integer"),
        ({"interval": 5}, "Unsupported field: 'interval' for the given msg type: subscribe"),
        ({"snapshot": None}, "Snapshot field must be a boolean"),
    ],
)
def test_what_it_does_not_know_is_refused(fields, error):
    with pytest.raises(Refused) as refused:
        read(**fields)
    assert refused.value.text == error
