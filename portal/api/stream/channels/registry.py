"""The public channels by their names."""

from collections.abc import Mapping
from typing import Any, Final

from portal.api.stream.channels import ticker
from portal.api.stream.channels.public import Channel
from portal.venues.types import Pair

# Subscribed to symbol by symbol. What one keeps as its options and its state is its own affair.
OF_A_PAIR: Final[Mapping[str, Channel[Pair, Any, Any]]] = {"ticker": ticker}
