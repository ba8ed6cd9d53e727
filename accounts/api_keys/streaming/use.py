"""What is counted of a key on a socket, beside its calls: requests by day, and refusals with their reason."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from accounts.api_keys import usage
from accounts.api_keys.refused_calls import Reason

STREAMING: Final = "Streaming"
ORDERS: Final = "Orders"
# Opening a socket with a token has no method on the wire.
OPEN: Final = "open"
TRADING: Final = frozenset(
    {
        "add_order",
        "amend_order",
        "edit_order",
        "cancel_order",
        "cancel_all",
        "cancel_all_orders_after",
        "batch_add",
        "batch_cancel",
    }
)
METHODS: Final = TRADING | {OPEN, "subscribe", "unsubscribe"}


def count(public: str, method: str, at: datetime) -> None:
    """One request on a socket that the key's power answered; what trades counts as orders do over REST."""
    usage.count(public, ORDERS if method in TRADING else STREAMING, at)


def refused(
    public: str, *, method: str, answer: str, reason: Reason, facts: Mapping[str, str], source: str, at: datetime
) -> None:
    """One request on a socket that was refused. Without a key it is nobody's; no method can be invented.

    `answer` is one of the protocol's strings, with nothing in it that the bot chose: it is counted by.
    """
    known = method if method in METHODS else "unknown"
    usage.refused(public, method=known, answer=answer, reason=reason, facts=facts, source=source, at=at)
