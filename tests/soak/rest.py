"""A bot's signed calls, over connections that are kept, from the address that it has behind the proxy."""

import asyncio
import json
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any, Final
from urllib.parse import urlencode

from tests.api.calls import FORM, Envelope, sign
from tests.serving import HOST
from tests.soak.player import Player

THREADS: Final = 16
TIMEOUT: Final = 15.0


class Unanswered(Exception):
    """Nothing came back: what was asked may have happened or not."""


@dataclass
class Rest:
    """REST as all bots of this program use it. Each key calls once at a time, so that its nonces rise."""

    port: int
    answers: Counter[str] = field(default_factory=Counter)
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS))
    _local: threading.local = field(default_factory=threading.local)
    _turns: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def ask(self, player: Player, method: str, **fields: object) -> Envelope:
        """The envelope of one call. Raises: Unanswered."""
        async with self._turns[player.public]:
            loop = asyncio.get_running_loop()
            try:
                answer = await loop.run_in_executor(self._threads, self._post, player, method, fields)
            except Unanswered:
                self.answers[f"{method}: no answer"] += 1
                raise
        self.answers[f"{method}: {' '.join(answer['error']) or 'done'}"] += 1
        return answer

    async def result(self, player: Player, method: str, **fields: object) -> Any:
        """What the call brought; None if it was refused. Raises: Unanswered."""
        return (await self.ask(player, method, **fields)).get("result")

    def _connection(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)

    def _post(self, player: Player, method: str, fields: dict[str, object]) -> Envelope:
        nonce = str(time.time_ns())
        body = urlencode({"nonce": nonce, **fields}).encode()
        path = f"/0/private/{method}"
        headers = {
            "API-Key": player.public,
            "API-Sign": sign(player.secret, path, nonce, body),
            "Content-Type": FORM,
            **behind_proxy(player),
        }
        connection: HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connection()
        try:
            connection.request("POST", path, body, headers)
            answer: Envelope = json.loads(connection.getresponse().read())
        except (OSError, HTTPException, ValueError) as error:
            connection.close()
            self._local.connection = None
            raise Unanswered(type(error).__name__) from error
        return answer


def behind_proxy(player: Player) -> dict[str, str]:
    """What the proxy in front of a portal says of a caller."""
    return {"Host": HOST, "X-Forwarded-For": player.source, "X-Forwarded-Proto": "https"}
