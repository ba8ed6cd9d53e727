"""A bot's socket: opened with a token, read to its end, and opened again after a pause, as long as it lasts."""

import asyncio
import json
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any, Final, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.soak.checking.books import Book
from tests.soak.checking.sessions import PRIVATE, Frame, Session
from tests.soak.player import Player
from tests.soak.rest import Rest, Unanswered, behind_proxy

SYMBOL: Final = "BTC/USD"
# Of BTC/USD, as AssetPairs says.
PLACES: Final = (1, 8)
# Read when all is over: they are many, and hold up what comes next.
PRIVATE_FRAMES: Final = tuple(f'{{"channel":"{channel}"' for channel in PRIVATE)
SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 3.0
ANSWER_WITHIN: Final = 15.0


class Server(Protocol):
    """Where sockets are served."""

    @property
    def name(self) -> str:
        """What its sessions are told apart by."""

    @property
    def socket_url(self) -> str:
        """The address that a socket is opened at."""


class Refused(Exception):
    """What was asked on a socket was answered with an error."""


@dataclass
class Socket:
    """One of a bot's sockets. `sessions` are what came of it, the last of them open."""

    number: int
    player: Player
    nodes: Sequence[Server]
    rest: Rest
    with_markets: bool = False
    sessions: list[Session] = field(default_factory=list)
    wire: ClientConnection | None = None
    is_subscribed: bool = False
    books_checked: int = 0
    token: str = ""
    _asked: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    _ids: "count[int]" = field(default_factory=lambda: count(1))
    _book: Book | None = None

    async def run(self) -> None:
        """Keep one session open, for ever."""
        pause, node = SHORTEST_PAUSE, self.nodes[self.number % len(self.nodes)]
        while True:
            session = Session(self.number, self.player.account_id, node.name, time.time())
            try:
                await self._session(node, session)
            except (OSError, Unanswered, ConnectionClosed, InvalidHandshake, Refused, TimeoutError) as error:
                session.ending = session.ending if session.ending != "open" else f"{type(error).__name__}: {error}"
                session.ended_at = time.time()
            # Any node, as a proxy would give it; longer and longer between tries that come to nothing.
            node = random.choice(self.nodes)
            pause = SHORTEST_PAUSE if session.frames else min(2 * pause, LONGEST_PAUSE)
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))

    async def ask(self, method: str, **params: Any) -> Any:
        """What was answered on the socket. Raises: Refused; TimeoutError or ConnectionClosed if nothing came."""
        if self.wire is None:
            raise Refused("there is no socket")
        number = next(self._ids)
        answered = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            await self.wire.send(json.dumps({"method": method, "params": params, "req_id": number}))
            async with asyncio.timeout(ANSWER_WITHIN):
                answer = await answered
        finally:
            del self._asked[number]
            if answered.done() and not answered.cancelled():
                answered.exception()  # looked at, where sending failed before it could be awaited
        if not answer["success"]:
            raise Refused(answer.get("error"))
        return answer.get("result")

    async def _session(self, node: Server, session: Session) -> None:
        found = await self.rest.result(self.player, "GetWebSocketsToken")
        if found is None:
            raise Refused("no token")
        headers = {name: value for name, value in behind_proxy(self.player).items() if name != "Host"}
        async with connect(
            node.socket_url, additional_headers=headers, compression=None, open_timeout=15, max_size=2**24
        ) as wire:
            self.wire, self._book, self.token = wire, None, found["token"]
            session.began_at = time.time()
            self.sessions.append(session)
            reading = asyncio.create_task(self._read(wire, session))
            try:
                await self._subscribe()
                await reading
            finally:
                self.wire, self.is_subscribed = None, False
                reading.cancel()
                with suppress(asyncio.CancelledError, ConnectionClosed):
                    await reading

    async def _subscribe(self) -> None:
        for channel in PRIVATE:
            await self.ask("subscribe", channel=channel, token=self.token)
        if self.with_markets:
            await self.ask("subscribe", channel="ticker", symbol=[SYMBOL])
            await self.ask("subscribe", channel="book", symbol=[SYMBOL], depth=10)
        self.is_subscribed = True

    async def _read(self, wire: ClientConnection, session: Session) -> None:
        """To the end of the socket. Where we end it ourselves, the session is as if it went on."""
        with suppress(ConnectionClosed):
            async for text in wire:
                self._take(session, str(text))
        session.ended_at = time.time()
        session.ending = f"{wire.close_code} {wire.close_reason}"
        for answered in self._asked.values():
            if not answered.done():
                answered.set_exception(ConnectionResetError("the socket is gone"))

    def _take(self, session: Session, text: str) -> None:
        at = time.time()
        if text.startswith(PRIVATE_FRAMES):
            session.frames.append(Frame(at, text))
            return
        said = json.loads(text, parse_float=Decimal)
        if "req_id" in said:
            answered = self._asked.get(said["req_id"])
            if answered is not None and not answered.done():
                answered.set_result(said)
        elif said.get("channel") == "book":
            self._take_book(session, said)
        elif said.get("channel") in PRIVATE:
            session.frames.append(Frame(at, text))
        elif said.get("channel") not in {"status", "heartbeat", "ticker"}:
            session.wrong.append(f"nobody asked for this: {text}")

    def _take_book(self, session: Session, said: dict[str, Any]) -> None:
        if self._book is None:
            self._book = Book(*PLACES)
        for row in said["data"]:
            trouble = self._book.take(said["type"], row)
            self.books_checked += 1
            if trouble:
                session.wrong.append(f"book: {trouble}: {said}")


async def all_subscribed(sockets: Sequence[Socket], within: float) -> None:
    """Wait until every socket is open and subscribed."""
    end = time.monotonic() + within
    while missing := [socket.number for socket in sockets if not socket.is_subscribed]:
        assert time.monotonic() < end, f"{len(missing)} sockets are not subscribed: {missing[:10]}"
        await asyncio.sleep(0.1)
