"""Everything that the sockets of one process share, and the work that goes on for them in the background."""

import asyncio
import logging
import os
import secrets
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from django.conf import settings

from portal.api.stream import frames
from portal.api.stream.connection import AWAY, BROKEN, LATER, POLICY, TOO_BIG, UNREADABLE, Connection, Key
from portal.api.stream.delivery.feeds import Feeds
from portal.api.stream.delivery.markets import Markets
from portal.api.stream.keys.key_watch import PRESSED, KeyWatch
from portal.api.stream.keys.register import Register
from portal.core.observing import meters
from portal.core.web.proxies import network

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS: Final = 1.0
RESTART_SECONDS: Final = 1.0
BY_CLIENT: Final = "client"
OPEN: Final = meters.Gauge("countersign_sockets_open", "Sockets that are open.")
SUBSCRIPTIONS: Final = meters.Gauge("countersign_socket_subscriptions", "What open sockets have subscribed to.")
MESSAGES: Final = meters.Counter("countersign_socket_messages_total", "Messages that were sent on sockets.")
CLOSED: Final = meters.Counter(
    "countersign_sockets_closed_total",
    "Sockets that are no more, by the code that we closed them with; `client` are those that left by themselves.",
    {"code": (BY_CLIENT, *(str(code) for code in (AWAY, UNREADABLE, POLICY, TOO_BIG, BROKEN, LATER)))},
)


class Hub:
    """The open sockets of this process. Made in the event loop that serves them, and touched by it alone."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
        self.connections: dict[int, Connection] = {}
        self.feeds, self.markets = Feeds(), Markets()
        self.register = Register(self.name)
        self.key_watch = KeyWatch(self.name, self.connections, self.drop)
        self._of_source: Counter[str] = Counter()
        # Whoever holds no reference to a task may find it gone.
        self._tasks = [
            asyncio.create_task(self._on_and_on(work))
            for work in (
                self.feeds.listen,
                self.feeds.deliver,
                self.feeds.catch_up,
                self.markets.tell,
                self.key_watch.watch,
                partial(self.register.keep, self.connections.values),
                self._beat,
            )
        ]

    def has_room(self, source: str) -> bool:
        """Whether one more socket of that source finds a place here."""
        if len(self.connections) >= settings.STREAM_SOCKETS:
            return False
        return not settings.API_LIMITS or self._of_source[network(source)] < settings.STREAM_SOCKETS_OF_SOURCE

    def opened(self, connection: Connection) -> None:
        """A socket is there."""
        self.connections[connection.number] = connection
        self._of_source[network(connection.source)] += 1

    async def closed(self, connection: Connection) -> None:
        """A socket is gone, and all that it had subscribed to with it."""
        MESSAGES.add(amount=connection.take_sent())
        CLOSED.add(str(connection.ending.code) if connection.ending else BY_CLIENT)
        del self.connections[connection.number]
        self._of_source[network(connection.source)] -= 1
        self._of_source += Counter()  # leaves out who has none any more
        for key in list(connection.subscriptions):
            self.drop(connection, key)
        await self.register.closed(connection, is_recorded=connection.ending == PRESSED)

    def drop(self, connection: Connection, key: Key) -> None:
        """End one subscription."""
        subscription = connection.subscriptions.pop(key, None)
        if subscription is not None:
            subscription.end()

    async def _on_and_on(self, work: Callable[[], Awaitable[None]]) -> None:
        """Whatever goes wrong in one of them is said, and goes on: sockets rely on it."""
        while True:
            try:
                await work()
            except Exception:
                logger.exception("What sockets rely on failed, and goes on")
            await asyncio.sleep(RESTART_SECONDS)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            now = time.monotonic()
            MESSAGES.add(amount=sum(connection.take_sent() for connection in self.connections.values()))
            for connection in list(self.connections.values()):
                if connection.subscriptions:
                    if now - connection.said >= HEARTBEAT_SECONDS:
                        connection.say(frames.HEARTBEAT)
                elif now - connection.heard > settings.STREAM_IDLE:
                    connection.close(AWAY, "Nothing was subscribed to, and nothing asked.")
