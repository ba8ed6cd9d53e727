"""The channel `instrument`."""

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest

from portal.api.stream.channels import instrument
from portal.api.stream.channels.public import Refused
from portal.venues.paper.venue import PaperVenue
from tests.api.stream.channels.wire import told

VENUE = PaperVenue()


def read(**fields):
    return instrument.read({"channel": "instrument", **fields})


def test_all_assets_and_pairs_are_told_with_the_fields_of_the_protocol():
    none, state = instrument.update(VENUE, None, read(), None)
    data = told(instrument.snapshot(None, read(), state))
    assert none == []
    assert list(data) == ["assets", "pairs"]
    assert data["assets"][0] == {
        "id": "BTC", "status": "enabled", "precision": 10, "precision_display": 5, "borrowable": False,
        "collateral_value": 0,
    }  # fmt: skip
    assert data["pairs"][0] == {
        "symbol": "BTC/USD", "base": "BTC", "quote": "USD", "status": "online",
        "qty_precision": 8, "qty_increment": Decimal("0.00000001"), "qty_min": Decimal("0.00005"),
        "price_precision": 1, "price_increment": Decimal("0.1"), "tick_size": Decimal("0.1"),
        "cost_precision": 4, "cost_min": Decimal("0.5"), "marginable": False, "has_index": False,
    }  # fmt: skip
    assert [pair["symbol"] for pair in data["pairs"]] == [f"{p.base.code}/{p.quote.code}" for p in VENUE.pairs()]
    assert {pair[side] for pair in data["pairs"] for side in ("base", "quote")} <= {row["id"] for row in data["assets"]}


def test_an_update_tells_only_what_has_changed():
    _, state = instrument.update(VENUE, None, read(), None)
    assert instrument.update(VENUE, None, read(), state) == ([], state)
    first, *others = VENUE.pairs()
    changed = replace(first, minimum_cost=Decimal(1))
    venue = SimpleNamespace(assets=VENUE.assets, pairs=lambda: (changed, *others))
    data, state = instrument.update(venue, None, read(), state)
    assert told(data) == {"assets": [], "pairs": [told(instrument.snapshot(None, read(), state))["pairs"][0]]}
    assert told(data)["pairs"][0]["cost_min"] == 1


def test_the_acknowledgement_warns_as_the_exchange_does():
    assert instrument.result(read()) == {
        "channel": "instrument", "snapshot": True, "warnings": ["tick_size is deprecated, use price_increment"],
    }  # fmt: skip


def test_what_clients_of_the_exchange_send_is_taken():
    sent = read(include_tokenized_assets=True, execution_venue="international", symbol=["BTC/USD"], snapshot=False)
    assert sent == read()
    assert sent.snapshot is False


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"depth": 10}, "Unsupported field: 'depth' for the given msg type: unsubscribe"),
        ({"include_tokenized_assets": "no"}, "Include_tokenized_assets field must be a boolean"),
        ({"execution_venue": "elsewhere"}, "Execution venue not supported"),
        ({"execution_venue": None}, "Execution venue not supported"),
    ],
)
def test_what_it_does_not_know_is_refused(fields, error):
    with pytest.raises(Refused) as refused:
        instrument.read({"channel": "instrument", **fields}, "unsubscribe")
    assert refused.value.text == error
