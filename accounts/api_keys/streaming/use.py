"""What is counted of a key on a socket, beside its calls, and that it is in use."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from accounts.api_keys import usage
from accounts.models import ApiKey

STREAMING: Final = "Streaming"
# What a key was last used for, while a socket is open with it.
SOCKET: Final = "/v2"
NOTED_EVERY: Final = timedelta(minutes=5)
# What may stand in the list of refused requests: nothing that a bot invents.
METHODS: Final = frozenset(
    {
        "subscribe",
        "unsubscribe",
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


def count(public: str, at: datetime) -> None:
    """One socket that was opened with the key, or one channel of its Account. What trades is counted as orders are."""
    usage.count(public, STREAMING, at)


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
