"""The processes of a portal in production: granian for REST, uvicorn for sockets, and the worker."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests import ports
from tests.serving import ROOT, serving, streaming, workers_of

WORKERS: Final = 2
STREAMS: Final = 2
STARTED_WITHIN: Final = 60.0
# So many characters of its log are shown of each where a run comes to nothing.
LAST_WORDS: Final = 2000


@dataclass
class Node:
    """One process that can be killed and started again under the same address; what it says is kept in `log`."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def socket_url(self) -> str:
        """The address that a socket is opened at."""
        return f"ws://127.0.0.1:{self.port}/v2"

    def start(self) -> None:
        """Start it. It answers some moments later."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.command], cwd=ROOT, env=dict(self.environment), stdout=log, stderr=log
            )

    @property
    def pid(self) -> int:
        """Its process, which runs."""
        assert self.process is not None
        assert self.process.poll() is None, f"{self.name} ended: {self.log.read_text()[-2000:]}"
        return self.process.pid

    def kill(self) -> None:
        """End it without a word, as the system does it that runs out of memory."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def ask_to_end(self) -> None:
        """End it politely; it has some seconds for it."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def stop(self) -> None:
        """Wait for its end, or bring it about."""
        if self.process is not None:
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def resident(self) -> int:
        """How much memory it holds, in bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@dataclass
class Nodes:
    """All of them."""

    rest: Node
    streams: list[Node]
    worker: Node

    @property
    def all(self) -> list[Node]:
        """In the order in which they start."""
        return [self.rest, *self.streams, self.worker]

    def kill_rest_worker(self) -> None:
        """End one of the processes that answer REST; its node puts another one in its place."""
        os.kill(min(workers_of(self.rest.pid)), signal.SIGKILL)


@contextmanager
def running(environment: Mapping[str, str], folder: Path) -> Iterator[Nodes]:
    """All of them, started and answering; ended afterwards."""
    nodes = _nodes(environment, folder)
    try:
        for node in nodes.all:
            node.start()
        for node in (nodes.rest, *nodes.streams):
            wait_for(node)
        yield nodes
    except BaseException:
        for node in nodes.all:
            sys.stderr.write(f"{node.name} said:\n{node.log.read_text()[-LAST_WORDS:]}\n" if node.log.exists() else "")
        raise
    finally:
        for node in nodes.all:
            node.ask_to_end()
        for node in nodes.all:
            node.stop()


def wait_for(node: Node) -> None:
    """Until it takes connections."""
    end = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < end:
        assert node.pid
        try:
            socket.create_connection(("127.0.0.1", node.port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{node.name} does not answer: {node.log.read_text()[-2000:]}")


def stream(name: str, environment: Mapping[str, str], folder: Path) -> Node:
    """A process that serves sockets, as the guide for operators has it."""
    port = ports.lasting()
    where = ["--host", "127.0.0.1", "--port", str(port)]
    command = ["-m", "uvicorn", "portal.asgi:application", *streaming(), *where]
    return Node(name, command, environment, folder / f"{name.replace(' ', '')}.log", port)


def _nodes(environment: Mapping[str, str], folder: Path) -> Nodes:
    port = ports.lasting()
    where = ["--host", "127.0.0.1", "--port", str(port), "--workers", str(WORKERS), "--log-level", "warning"]
    rest = ["-m", "granian", *serving(), *where, "portal.asgi:application"]
    return Nodes(
        rest=Node("REST", rest, environment, folder / "rest.log", port),
        streams=[stream(f"stream {number + 1}", environment, folder) for number in range(STREAMS)],
        worker=Node("work", ["manage.py", "work"], environment, folder / "work.log"),
    )
