"""What breaks meanwhile: processes that serve sockets, the database, and a worker of REST."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.postgresql_server import PostgresqlServer
from tests.soak.bots import Socket
from tests.soak.nodes import Node, Nodes

# One after the other, in equal parts of the time there is; the last one leaves time to come back.
PLAN: Final = ("stream 1", "REST", "stream 2", "database")
AWAY_SECONDS: Final = 1.0
LOOKED_AGAIN_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Break:
    """What was broken, and when; and after how many seconds every bot had all its sockets again.

    Moments are in seconds since 1970; `back_after` is None where the next thing broke before, at `ended`.
    """

    what: str
    began: float
    back_after: float | None
    ended: float


@dataclass
class Damage:
    """Breaks what the plan says, and notes when."""

    nodes: Nodes
    database: PostgresqlServer
    sockets: Sequence[Socket]
    progress: Callable[[str], object]
    breaks: list[Break] = field(default_factory=list)

    async def run(self, seconds: float, rounds: int) -> None:
        """Go through the plan so many times, evenly, in so many seconds."""
        plan = PLAN * rounds
        every = seconds / (len(plan) + 1)
        await asyncio.sleep(every)
        for what in plan:
            began = time.time()
            await self._break(what)
            back_after = await self._back_after(began, began + every)
            # A restart of the database goes unnoticed by who is open: what it holds up is over with the next look.
            self.breaks.append(Break(what, began, back_after, time.time() + LOOKED_AGAIN_SECONDS))
            told = "not all are back" if back_after is None else f"all are back after {back_after:.1f} s"
            self.progress(f"broken: {what}; {told}")
            await asyncio.sleep(began + every - time.time())

    async def _back_after(self, began: float, until: float) -> float | None:
        """A worker of REST or the database may go and come without a socket noticing: then it is no time at all."""
        while time.time() < until:
            await asyncio.sleep(0.1)
            if all(socket.is_subscribed for socket in self.sockets):
                return time.time() - began
        return None

    async def _break(self, what: str) -> None:
        acts: dict[str, Callable[[], Awaitable[None]]] = {"REST": self._rest, "database": self._restart}
        if what in acts:
            await acts[what]()
        else:
            await self._kill(next(node for node in self.nodes.streams if node.name == what))

    async def _kill(self, node: Node) -> None:
        node.kill()
        await asyncio.sleep(AWAY_SECONDS)
        node.start()

    async def _rest(self) -> None:
        self.nodes.kill_rest_worker()

    async def _restart(self) -> None:
        await asyncio.to_thread(self.database.stop)
        await asyncio.to_thread(self.database.start)
