"""What breaks meanwhile: processes that serve sockets, the database, and a worker of REST."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from tests.postgresql_server import PostgresqlServer
from tests.soak.nodes import Node, Nodes

# One after the other, in equal parts of the time there is; the last one leaves time to come back.
PLAN: Final = ("stream 1", "REST", "stream 2", "database", "stream 1", "stream 2")
AWAY_SECONDS: Final = 1.0


@dataclass
class Damage:
    """Breaks what the plan says, and notes when. `at` holds what was broken and until when it was away."""

    nodes: Nodes
    database: PostgresqlServer
    progress: Callable[[str], object]
    at: list[tuple[str, float, float]] = field(default_factory=list)

    async def run(self, seconds: float, rounds: int) -> None:
        """Go through the plan so many times, evenly, in so many seconds."""
        plan = PLAN * rounds
        for what in plan:
            await asyncio.sleep(seconds / (len(plan) + 1))
            began = time.time()
            await self._break(what)
            self.at.append((what, began, time.time()))
            self.progress(f"broken: {what}")
        await asyncio.sleep(seconds / (len(plan) + 1))

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
