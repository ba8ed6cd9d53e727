"""`python -m tests.chaos.players.sockets CAST FILE`: a socket for each Account until SIGTERM, and what it was told."""

import asyncio
import json
import math
import signal
import sys
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any

import django

# The signing of calls is shared with tests that run inside the portal.
django.setup()

from tests.chaos.players import cast  # noqa: E402
from tests.serving import HOST  # noqa: E402
from tests.soak.bots import Socket  # noqa: E402
from tests.soak.checking.sessions import Frame, Session  # noqa: E402
from tests.soak.rest import TIMEOUT, Rest  # noqa: E402


@dataclass(frozen=True, slots=True)
class Balancer:
    """The one address that callers know."""

    name: str = "the installation"
    socket_url: str = f"wss://{HOST}/v2"


class OverTls(Rest):
    """Signed calls at that address."""

    def _connection(self) -> HTTPConnection:
        return HTTPSConnection(HOST, self.port, timeout=TIMEOUT)


async def listen(cast_file: Path, file: Path) -> None:
    """All of them, until SIGTERM; then what they were told is written down."""
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    rest = OverTls(443)
    listeners = cast.read(cast_file).listeners
    sockets = [Socket(number, player, [Balancer()], rest) for number, player in enumerate(listeners)]
    tasks = [asyncio.create_task(socket.run()) for socket in sockets]
    await over.wait()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    sessions = [session for socket in sockets for session in socket.sessions]
    await asyncio.to_thread(file.write_text, json.dumps([_written(session) for session in sessions]))


def read(file: Path) -> list[Session]:
    """The sessions as they were written."""
    found = []
    for row in json.loads(file.read_text()):
        frames = [Frame(*frame) for frame in row.pop("frames")]
        found.append(Session(**{**row, "ended_at": row["ended_at"] or math.inf}, frames=frames))
    return found


def _written(session: Session) -> dict[str, Any]:
    return {
        "socket": session.socket, "account_id": session.account_id, "node": session.node,
        "began_at": session.began_at, "ended_at": None if math.isinf(session.ended_at) else session.ended_at,
        "ending": session.ending, "wrong": session.wrong,
        "frames": [[frame.at, frame.text] for frame in session.frames],
    }  # fmt: skip


if __name__ == "__main__":
    asyncio.run(listen(Path(sys.argv[1]), Path(sys.argv[2])))
