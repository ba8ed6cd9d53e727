"""The ASGI application of `/v2`: takes sockets in, within limits, and has each served to its end."""

import asyncio
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.utils import timezone

from portal.api.stream import limits, requests
from portal.api.stream.connection import Connection
from portal.api.stream.hub import OPEN, SUBSCRIPTIONS, Hub
from portal.core.observing.meters import Counter
from portal.core.web.proxies import is_secure, source_address

if TYPE_CHECKING:
    from portal.api.stream.connection import Receive, Send

PATH: Final = "/v2"
# Clients read the number of a connection as a float, which holds no more than so many bits.
NUMBER_BITS: Final = 52

REFUSED: Final = Counter(
    "countersign_sockets_refused_total",
    "Sockets that were refused before they were open: not TLS or another path, or too many.",
    {"status": ("403", "429")},
)

_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


async def application(scope: Mapping[str, Any], receive: "Receive", send: "Send") -> None:
    """Serve one socket. What may not be opened is refused before it is: 403, or 429 where the server can say so."""
    await receive()  # websocket.connect
    source = _source(scope)
    hub = _hub()
    if scope["path"] != PATH or not _is_secure(scope):
        await _refuse(scope, send, 403)
    elif not await limits.may_connect(source, timezone.now()) or not hub.has_room(source):
        await _refuse(scope, send, 429)
    else:
        await send({"type": "websocket.accept"})
        connection = Connection(_number(hub), source, send, requests.answerer(hub))
        hub.opened(connection)
        try:
            await connection.serve(receive)
        finally:
            await hub.closed(connection)


def _hub() -> Hub:
    """The one of this event loop: a process has one loop, and tests have one each."""
    loop = asyncio.get_running_loop()
    for gone in [each for each in _hubs if each.is_closed()]:
        del _hubs[gone]
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]


def _number(hub: Hub) -> int:
    number = secrets.randbits(NUMBER_BITS)
    return _number(hub) if number in hub.connections else number


def watch() -> None:
    """From now on it is told how many sockets this process has open."""
    OPEN.ask(lambda: {(): sum(len(hub.connections) for hub in list(_hubs.values()))})
    SUBSCRIPTIONS.ask(lambda: {(): sum(len(each.subscriptions) for each in _open())})


def _open() -> "list[Connection]":
    return [connection for hub in list(_hubs.values()) for connection in list(hub.connections.values())]


async def _refuse(scope: Mapping[str, Any], send: "Send", status: int) -> None:
    REFUSED.add(str(status))
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close"})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    words = b"EGeneral:Too many requests\n" if status == 429 else b"Sockets are served at /v2, over TLS.\n"
    await send({"type": "websocket.http.response.body", "body": words})


def _source(scope: Mapping[str, Any]) -> str:
    return source_address(_peer(scope), _header(scope, b"x-forwarded-for"))


def _is_secure(scope: Mapping[str, Any]) -> bool:
    scheme = "https" if scope.get("scheme") == "wss" else "http"
    return settings.DEBUG or is_secure(scheme, _peer(scope), _header(scope, b"x-forwarded-proto"))


def _peer(scope: Mapping[str, Any]) -> str:
    return str((scope.get("client") or ("",))[0])


def _header(scope: Mapping[str, Any], wanted: bytes) -> str:
    return b",".join(value for name, value in scope["headers"] if name.lower() == wanted).decode("latin-1")
