"""The public channels by their names."""

from collections.abc import Mapping
from typing import Any, Final

from portal.api.stream.channels import book, instrument, ohlc, ticker, trade
from portal.api.stream.channels.public import Channel
from portal.venues.types import Pair

# Subscribed to symbol by symbol. What one keeps as its options and its state is its own affair.
OF_A_PAIR: Final[Mapping[str, Channel[Pair, Any, Any]]] = {
    "book": book,
    "ohlc": ohlc,
    "ticker": ticker,
    "trade": trade,
}
# Subscribed to once, without a symbol.
OF_EVERYTHING: Final[Mapping[str, Channel[None, Any, Any]]] = {"instrument": instrument}
PUBLIC: Final[Mapping[str, Channel[Any, Any, Any]]] = {**OF_A_PAIR, **OF_EVERYTHING}
