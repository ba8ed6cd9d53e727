"""Which of a server's processes took a connection, as Linux tells it."""

import socket
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

TABLE: Final = Path("/proc/net/tcp")
ESTABLISHED: Final = "01"
TAKEN_WITHIN: Final = 2.0


def process_of(connected: socket.socket, processes: Collection[int]) -> int | None:
    """The one of `processes` that holds the other end; None where that cannot be known."""
    if not processes or not TABLE.exists():
        return None
    end = time.monotonic() + TAKEN_WITHIN
    while time.monotonic() < end:
        for process in processes:
            if _other_end(connected) in _sockets_of(process):
                return process
        time.sleep(0.005)
    return None


def _other_end(connected: socket.socket) -> str:
    """The name of the server's socket as a process holds it; that of no socket as long as none has taken it."""
    ours, theirs = connected.getsockname()[1], connected.getpeername()[1]
    for line in TABLE.read_text().splitlines()[1:]:
        _, local, remote, state, *_, inode = line.split()[:10]
        if state == ESTABLISHED and (_port(local), _port(remote)) == (theirs, ours):
            return f"socket:[{inode}]"
    return ""


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


def _sockets_of(process: int) -> set[str]:
    found = set()
    for held in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):
            found.add(str(held.readlink()))
    return found
