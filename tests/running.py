"""Portals that run as `make run` starts them: a process of their own, own data, a free port of this machine."""

import io
import json
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import TypeVar

from tests.database import kept_demo, migrated
from tests.serving import at_one_address, surroundings

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Running:
    """A portal that answers: where, the variables of its processes, and the one whose children serve."""

    url: str
    port: int
    environment: dict[str, str]
    pid: int


@dataclass(frozen=True)
class Portal(Running):
    """A running portal with the demo, and the keys of its bots by their names.

    `is_gateway`: its Accounts are at an exchange. Sockets are not served for such ones, and what nothing governs leaves
    a moment after the answer.
    """

    keys: dict[str, tuple[str, str]]
    elsewhere: tuple[str, str]
    is_gateway: bool = False


@contextmanager
def running(
    data: Path, *, prepared: Sequence[str] = (), begun: Callable[[Path], None] = migrated.begun,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Running]:  # fmt: skip
    """A portal whose data lies in `data`, served once it has begun and the command `prepared` of manage.py is done.

    `settings` are variables beside those that every such portal has: its counters refuse nobody, for tests call faster
    than a tier allows.
    """
    port = free_port()
    environment = surroundings() | {
        "PORTAL_DEBUG": "1",
        "PORTAL_VAR": str(data),
        "PORTAL_BASE_URL": f"http://localhost:{port}",
        "PORTAL_API_LIMITS": "0",
        **(settings or {}),
    }
    begun(data)
    if "DATABASE_URL" in environment:
        prepared = prepared or ("migrate", "--verbosity", "0")
    if prepared:
        subprocess.run([sys.executable, "manage.py", *prepared], cwd=ROOT, env=environment, check=True, timeout=180)
    with served(port, environment) as server:
        yield Running(f"http://127.0.0.1:{port}", port, environment, server.pid)


@contextmanager
def with_demo(data: Path, settings: Mapping[str, str] | None = None) -> Iterator[Portal]:
    """The same with the demo in it."""
    with running(data, begun=kept_demo.begun, settings=settings) as portal:
        bots = json.loads((data / "demo.json").read_text())["service_users"]
        keys = {bot["name"]: (bot["api_key"], bot["api_secret"]) for bot in bots}
        elsewhere = next(keys[bot["name"]] for bot in bots if bot["organization"] == "Elsewhere")
        yield Portal(portal.url, portal.port, portal.environment, portal.pid, keys, elsewhere)


@contextmanager
def served(
    port: int, environment: Mapping[str, str], *, code: Path = ROOT, python: str = sys.executable
) -> "Iterator[subprocess.Popen[bytes]]":
    """The server of pages, calls and sockets at that port, from its first answer on."""
    granian = ["-m", "granian", *at_one_address(), "--host", "127.0.0.1", "--port", str(port)]
    options = ["--workers", "1", "--log-level", "warning", "portal.asgi:application"]
    server = subprocess.Popen([python, *granian, *options], cwd=code, env=dict(environment))
    try:
        wait_for(port, server)
        yield server
    finally:
        server.terminate()
        server.wait(20)


def free_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    """Come back once the server answers a public call."""
    for _ in range(300):
        assert server.poll() is None, "the server ended"
        try:
            with closing(HTTPConnection("127.0.0.1", port, timeout=2)) as connection:
                connection.request("GET", "/0/public/Time")
                if connection.getresponse().status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


def soon(act: Callable[[], T], is_there: Callable[[T], bool]) -> T:
    """Ask again until it is so: exports and Earn take a moment."""
    answer = act()
    for _ in range(100):
        if is_there(answer):
            return answer
        time.sleep(0.1)
        answer = act()
    raise AssertionError(answer)


def unzipped(content: bytes) -> str:
    """The one table of an export."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (name,) = archive.namelist()
        return archive.read(name).decode()
