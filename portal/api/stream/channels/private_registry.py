"""The private channels by their names."""

from collections.abc import Mapping
from typing import Any, Final

from portal.api.stream.channels import balances, executions
from portal.api.stream.channels.private import PrivateChannel

# What one keeps as its options is its own affair.
PRIVATE: Final[Mapping[str, PrivateChannel[Any]]] = {"executions": executions, "balances": balances}
