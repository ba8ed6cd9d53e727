"""Which sockets are open with which key: written by the process that holds them, read and closed from the pages."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.api_keys.credentials import Credential
from accounts.api_keys.streaming import events, use
from accounts.models import Member, ServiceUser, StreamSocket
from policies import access
from policies.workflows import Right, Workflow
from portal.audit.record import lock_history
from portal.core.errors import Conflict, NotFound

# A process says so often enough that a row which is older has lost its process.
SEEN_WITHIN: Final = timedelta(seconds=60)
SHOWN: Final = 20
PROCESS_LENGTH: Final = 60
# What a row keeps of what flows to it, so that it stays small whatever a bot subscribes to.
MOST_FLOWS: Final = 100
FLOW_LENGTH: Final = 60


@dataclass(frozen=True, slots=True)
class Held:
    """One open socket as its process knows it. `number` is the process's own; `subscribed` is in words."""

    number: int
    api_key_id: int
    service_user_id: int
    source: str
    opened_at: datetime
    last_message_at: datetime | None = None
    subscribed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenSockets:
    """Those of one Service User, the newest first, and how many there are beyond."""

    rows: tuple[StreamSocket, ...]
    more: int


def opened(credential: Credential, process: str, held: Held) -> None:
    """A key has begun to use a socket, which goes into the history."""
    events.opened(credential, source=held.source)
    seen(process, [held])


def seen(process: str, sockets: Iterable[Held]) -> None:
    """All these are open now, and what flows to them; few statements however many. Whose row was lost gets it back.

    `process` is a name that no other process has or gets, of PROCESS_LENGTH at most.
    """
    now, rows = timezone.now(), sorted(sockets, key=lambda held: held.number)
    StreamSocket.objects.bulk_create(
        [
            StreamSocket(
                process=process,
                number=held.number,
                api_key_id=held.api_key_id,
                service_user_id=held.service_user_id,
                source=held.source,
                opened_at=held.opened_at,
                last_message_at=held.last_message_at,
                subscribed=[flow[:FLOW_LENGTH] for flow in held.subscribed[:MOST_FLOWS]],
                seen_at=now,
            )
            for held in rows
        ],
        update_conflicts=True,
        unique_fields=["process", "number"],
        update_fields=["last_message_at", "subscribed", "seen_at"],
    )
    use.last_used({held.api_key_id: held.source for held in rows}, now)


def closed(process: str, numbers: Collection[int]) -> None:
    """These are open no longer, whoever closed them."""
    if numbers:
        StreamSocket.objects.filter(process=process, number__in=numbers).delete()


def to_close(process: str) -> frozenset[int]:
    """The sockets of this process that a Member wants closed; the history knows that already."""
    asked = StreamSocket.objects.filter(process=process, close_asked_at__isnull=False)
    return frozenset(asked.values_list("number", flat=True))


@transaction.atomic
def ask_to_close(socket_id: int, member: Member, *, of: ServiceUser | None = None) -> StreamSocket:
    """Have the process that holds the socket close it, within a second or two. Its key goes on working.

    Raises: Refused without Initiate on Manage Access; NotFound for a socket that is gone, another Organization's, or
    not one `of` that bot; Conflict if somebody has asked before.
    """
    lock_history(member.organization_id)
    access.require(member, Workflow.MANAGE_ACCESS, Right.INITIATE)
    theirs = StreamSocket.objects.filter(service_user__organization_id=member.organization_id)
    if of is not None:
        theirs = theirs.filter(service_user=of)
    socket = theirs.select_for_update(of=("self",)).select_related("api_key__service_user").filter(pk=socket_id).first()
    if socket is None:
        raise NotFound("This socket is closed already.")
    if socket.is_closing:
        raise Conflict("Somebody has closed this socket already; it ends in a moment.")
    socket.close_asked_at, socket.close_asked_by = timezone.now(), member
    socket.save(update_fields=["close_asked_at", "close_asked_by"])
    events.closed_by(member, socket)
    return socket


def open_of(service_user: ServiceUser, most: int = SHOWN) -> OpenSockets:
    """The sockets that are open with keys of this bot, in two queries at the most."""
    found = _still_open().filter(service_user=service_user)
    rows = tuple(found.select_related("api_key").order_by("-opened_at", "-pk")[: most + 1])
    return OpenSockets(rows[:most], found.count() - most if len(rows) > most else 0)


def count_of(api_key_id: int) -> int:
    """How many are open with that key, in all processes."""
    return _still_open().filter(api_key_id=api_key_id).count()


def count_of_bot(service_user: ServiceUser) -> int:
    """How many are open with keys of that bot, in all processes."""
    return _still_open().filter(service_user=service_user).count()


def prune() -> None:
    """Forget the sockets whose process has not seen them for a minute: it is gone without a word."""
    StreamSocket.objects.filter(seen_at__lte=timezone.now() - SEEN_WITHIN).delete()


def _still_open() -> QuerySet[StreamSocket]:
    return StreamSocket.objects.filter(seen_at__gt=timezone.now() - SEEN_WITHIN)
