"""A client's book: whether it finds that one was told wrongly."""

import json
from decimal import Decimal

from tests.soak.checking.books import Book

# The example of the exchange's documentation.
ASKS = (
    "45285.2 0.001", "45286.4 1.54571953", "45286.6 1.54571109", "45289.6 1.54560911", "45290.2 0.1589066",
    "45291.8 1.54553491", "45294.7 0.04454749", "45296.1 0.3538", "45297.5 0.09945542", "45299.5 0.18772827",
)  # fmt: skip
BIDS = (
    "45283.5 0.1", "45283.4 1.54582015", "45282.1 0.1", "45281 0.1", "45280.3 1.54592586", "45279 0.0799",
    "45277.6 0.03310103", "45277.5 0.3", "45277.3 1.54602737", "45276.6 0.15445238",
)  # fmt: skip
CHECKSUM = 3310070434


def levels(*rows):
    pairs = (row.split() for row in rows)
    return [{"price": json.loads(price, parse_float=Decimal), "qty": Decimal(qty)} for price, qty in pairs]


def told(asks=ASKS, bids=BIDS, checksum=CHECKSUM):
    return {"asks": levels(*asks), "bids": levels(*bids), "checksum": checksum}


def test_the_example_comes_to_its_checksum():
    assert Book(1, 8).take("snapshot", told()) == ""


def test_another_quantity_does_not():
    book = Book(1, 8)
    book.take("snapshot", told())
    assert "checksum" in book.take("update", told(asks=("45285.2 0.002",), bids=()))


def test_a_level_that_is_gone_is_left_out_and_one_beyond_the_depth_too():
    book = Book(1, 8)
    book.take("snapshot", told())
    assert book.take("update", told(asks=("45285 1", "45285 0", "45300 5"), bids=())) == ""


def test_bids_that_reach_asks_are_found():
    assert "reach" in Book(1, 8).take("snapshot", told(bids=("45285.2 1",)))


def test_an_update_before_the_snapshot_is_found():
    assert "before" in Book(1, 8).take("update", told())
