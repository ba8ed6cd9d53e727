"""What all public channels have in common: symbols, and errors in the protocol's words."""

from typing import Any

import pytest

from portal.api.stream.channels import registry
from portal.api.stream.channels.public import Channel, Refused, pair_of, symbol_of, symbols
from portal.venues.paper.venue import PaperVenue

VENUE = PaperVenue()


@pytest.mark.parametrize("pair", VENUE.pairs(), ids=lambda pair: pair.id)
def test_a_pair_is_found_by_the_symbol_that_it_is_told_by(pair):
    assert pair_of(VENUE, symbol_of(pair)) == pair


@pytest.mark.parametrize("symbol", ["XBT/USD", "btc/usd", "BTC/DOGE", "BTC/", "/", "BTC/USD/EUR", "BTC/USD "])
def test_a_symbol_has_one_spelling(symbol):
    """The exchange takes no other here, though its own list of pairs says `XBT/USD`."""
    with pytest.raises(Refused) as refused:
        pair_of(VENUE, symbol)
    assert refused.value.text == f"Currency pair not supported {symbol}"


@pytest.mark.parametrize("symbol", ["XBTUSD", "XXBTZUSD", ""])
def test_a_symbol_without_a_stroke_is_none(symbol):
    with pytest.raises(Refused) as refused:
        pair_of(VENUE, symbol)
    assert refused.value.text == f"Currency pair not in ISO 4217-A3 format {symbol}"


def test_symbols_keep_their_order():
    assert symbols({"symbol": ["ETH/USD", "BTC/USD", "ETH/USD"]}) == ("ETH/USD", "BTC/USD", "ETH/USD")


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({}, "Symbol(s) not found"),
        ({"symbol": []}, "Symbol(s) not found"),
        ({"symbol": "BTC/USD"}, "Symbol field must be an array of strings"),
        ({"symbol": ["BTC/USD", 1]}, "Symbol field must be an array of strings"),
        ({"symbol": {"BTC/USD": 1}}, "Symbol field must be an array of strings"),
        ({"symbol": None}, "Symbol field must be an array of strings"),
    ],
)
def test_what_is_no_list_of_symbols_is_refused(params, error):
    with pytest.raises(Refused) as refused:
        symbols(params)
    assert refused.value.text == error


CHANNELS: list[tuple[str, Channel[Any, Any, Any]]] = [*registry.OF_A_PAIR.items(), *registry.OF_EVERYTHING.items()]


@pytest.mark.parametrize(("name", "channel"), CHANNELS)
def test_every_channel_is_acknowledged_under_its_name_and_may_come_with_a_token(name, channel):
    options = channel.read({"channel": name, "token": "left over", "snapshot": True})
    assert channel.result(options, "BTC/USD")["channel"] == name
    assert options.snapshot is True
