"""What is counted of a key on a socket, beside its calls: requests by day, and refusals with their reason."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from accounts.api_keys import usage
from accounts.api_keys.refused_calls import Reason
from accounts.models import ApiKey

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
# What a key was last used for, while a socket is open with it.
SOCKET: Final = "/v2"
NOTED_EVERY: Final = timedelta(minutes=5)
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


@transaction.atomic
def last_used(sources: Mapping[int, str], at: datetime) -> None:
    """These keys, by primary key, have sockets open from there: they are in use, though nothing may be asked of them.

    It is noted every few minutes, and left for the next time where a call of the key is being counted just now.
    """
    stale = Q(last_used_at=None) | Q(last_used_at__lte=at - NOTED_EVERY)
    rows = ApiKey.objects.select_for_update(skip_locked=True, no_key=True).only("pk").filter(stale, pk__in=sources)
    keys = list(rows.order_by("pk"))
    for key in keys:
        key.last_used_at, key.last_used_ip, key.last_used_method = at, sources[key.pk], SOCKET
    ApiKey.objects.bulk_update(keys, ["last_used_at", "last_used_ip", "last_used_method"])
