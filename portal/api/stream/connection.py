"""One socket from its opening to its end: what comes in is answered in order, what goes out waits in its outbox."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from django.conf import settings
from django.utils import timezone

from accounts.api_keys.lifecycle import Credential
from portal.api.protocol.envelope import Error
from portal.api.stream import frames, limits
from portal.api.stream.frames import Asked
from portal.api.stream.outbox import Outbox

if TYPE_CHECKING:
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

logger = logging.getLogger(__name__)

# What a subscription of a socket is known by: channel, symbol and options, of which a private one has none.
Key: TypeAlias = "tuple[str, str, object]"

# How long a goodbye may take before the line is cut.
FAREWELL_SECONDS: Final = 2.0
# RFC 6455 §7.4.1. POLICY is what the exchange's own client takes as final: only where a reconnect can never succeed.
AWAY, UNREADABLE, POLICY, TOO_BIG, BROKEN, LATER = 1001, 1003, 1008, 1009, 1011, 1013


class Subscription(Protocol):
    """A channel as one socket sees it. `label` is how people read it: `book BTC/USD`."""

    label: str

    def end(self) -> None:
        """Tell nothing any more."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why we close a socket: RFC 6455's code, and words of at most 123 bytes."""

    code: int
    reason: str


class Connection:
    """What one open socket is and has. `answer` carries out its requests.

    All of it is touched by the event loop alone. `credential` is the key's whose token was accepted last, and
    `tokens` digests of those accepted: they stay good as long as the socket is open (reference §13).
    """

    def __init__(
        self, number: int, source: str, send: "Send", answer: Callable[["Connection", Asked], Awaitable[None]]
    ) -> None:
        self.number, self.source = number, source
        self.opened_at = self.heard_at = timezone.now()
        self.credential: Credential | None = None
        self.tokens: set[str] = set()
        self.is_registered = False
        self.refused_tokens = 0
        self.subscriptions: dict[Key, Subscription] = {}
        self.ending: Ending | None = None
        self.heard, self.said = time.monotonic(), time.monotonic()
        self._send, self._answer = send, answer
        self._outbox = Outbox(settings.STREAM_QUEUE_LIMIT)
        self._messages = limits.messages()
        self._over = asyncio.Event()
        self._sent = 0

    def say(self, frame: str) -> None:
        """Let a frame go out after those before it; whoever does not read them is closed."""
        if self.ending is None and not self._outbox.put(frame):
            self.close(LATER, "You read too slowly: more waits for you than is kept. Reconnect for a new snapshot.")

    def close(self, code: int, reason: str) -> None:
        """End the socket, after what already waits was sent. The first reason counts."""
        if self.ending is None:
            self.ending = Ending(code, reason)
            self._over.set()

    def take_sent(self) -> int:
        """How many messages went out since this was asked last."""
        sent, self._sent = self._sent, 0
        return sent

    async def serve(self, receive: "Receive") -> None:
        """Answer until one of both sides ends it. Never raises."""
        self.say(frames.status(self.number))
        reading, writing = asyncio.create_task(self._read(receive)), asyncio.create_task(self._write())
        closing = asyncio.create_task(self._over.wait())
        tasks = (reading, writing, closing)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, OSError):
                logger.error("A socket failed", exc_info=result)
                self.close(BROKEN, "Internal error. Reconnect.")
        if self.ending is not None:
            await self._farewell(self.ending)

    async def _farewell(self, ending: Ending) -> None:
        with suppress(Exception):  # the other side may be gone, or never read again: nothing is owed to it
            async with asyncio.timeout(FAREWELL_SECONDS):
                for frame in self._outbox.left():
                    await self._send({"type": "websocket.send", "text": frame})
                await self._send({"type": "websocket.close", "code": ending.code, "reason": ending.reason})

    async def _write(self) -> None:
        while True:
            frame = await self._outbox.take()
            await self._send({"type": "websocket.send", "text": frame})
            self._outbox.sent(frame)
            self._sent += 1
            self.said = time.monotonic()

    async def _read(self, receive: "Receive") -> None:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            self.heard, self.heard_at = time.monotonic(), timezone.now()
            text = message.get("text")
            if text is None:
                self.close(UNREADABLE, "Send text frames: what is binary is not read.")
                return
            if len(text) > settings.STREAM_MESSAGE_LIMIT:
                self.close(TOO_BIG, f"A message has {settings.STREAM_MESSAGE_LIMIT} bytes at most.")
                return
            await self._take(text, self.heard_at)

    async def _take(self, text: str, time_in: datetime) -> None:
        cost = limits.cost(text)
        takes = not settings.API_LIMITS or self._messages.takes(time.monotonic(), cost)
        if not takes:
            # The rest waits in its own network, and costs nobody else anything.
            await asyncio.sleep(cost / settings.STREAM_MESSAGES_PER_SECOND)
        try:
            asked = frames.read(text, time_in)
        except frames.Malformed as error:
            self.say(frames.failure(error.asked, Error.INVALID_ARGUMENTS if takes else Error.RATE_LIMIT))
            return
        if takes:
            await self._answer(self, asked)
        else:
            self.say(frames.failure(asked, Error.RATE_LIMIT))
