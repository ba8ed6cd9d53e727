"""The checksum of a book, against what the exchange itself has told."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from portal.api.stream.channels.checksum import checksum

RECORDED = Path(__file__).parents[4].parent / "shared" / "fixtures" / "orderbook-v2.json"
# The example of the exchange's documentation.
ASKS = (
    ("45285.2", "0.00100000"), ("45286.4", "1.54571953"), ("45286.6", "1.54571109"), ("45289.6", "1.54560911"),
    ("45290.2", "0.15890660"), ("45291.8", "1.54553491"), ("45294.7", "0.04454749"), ("45296.1", "0.35380000"),
    ("45297.5", "0.09945542"), ("45299.5", "0.18772827"),
)  # fmt: skip
BIDS = (
    ("45283.5", "0.10000000"), ("45283.4", "1.54582015"), ("45282.1", "0.10000000"), ("45281.0", "0.10000000"),
    ("45280.3", "1.54592586"), ("45279.0", "0.07990000"), ("45277.6", "0.03310103"), ("45277.5", "0.30000000"),
    ("45277.3", "1.54602737"), ("45276.6", "0.15445238"),
)  # fmt: skip


def levels(rows):
    return [(Decimal(price), Decimal(volume)) for price, volume in rows]


def test_the_example_of_the_documentation_has_its_checksum():
    assert checksum(levels(ASKS), levels(BIDS), price_places=1, volume_places=8) == 3310070434


def test_trailing_zeros_that_a_number_lost_are_put_back():
    """`1.0` comes as `1`, so both are to have the same checksum."""
    bids = [(price.normalize(), volume.normalize()) for price, volume in levels(BIDS)]
    assert checksum(levels(ASKS), bids, price_places=1, volume_places=8) == 3310070434


def test_only_the_ten_best_of_each_side_count():
    deeper = (*levels(ASKS), (Decimal("45300.0"), Decimal(1)))
    assert checksum(deeper, levels(BIDS), price_places=1, volume_places=8) == 3310070434
    assert checksum(deeper[1:], levels(BIDS), price_places=1, volume_places=8) != 3310070434


@pytest.mark.skipif(not RECORDED.is_file(), reason="the recorded frames are not beside the project")
def test_the_recorded_frames_of_the_exchange_all_have_their_checksum():
    recorded = json.loads(RECORDED.read_text(), parse_float=Decimal, parse_int=Decimal)
    frames = [recorded["init"], *recorded["updates"]]
    assert len(frames) == 510
    sides: dict[str, dict[Decimal, Decimal]] = {"asks": {}, "bids": {}}
    for frame in frames:
        (row,) = frame["data"]
        for side, better in (("asks", 1), ("bids", -1)):
            for level in row[side]:
                sides[side][level["price"]] = level["qty"]
            there = sorted((level for level in sides[side].items() if level[1]), key=lambda level: better * level[0])
            sides[side] = dict(there[:10])
        asks, bids = (list(sides[side].items()) for side in ("asks", "bids"))
        assert checksum(asks, bids, price_places=1, volume_places=8) == row["checksum"]
    assert recorded["init"]["data"][0]["checksum"] == 2785033588
