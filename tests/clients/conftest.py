"""A portal as `make run` starts it: own data, own process, a free port; the clients get nothing but its address."""

import io
import json
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import TypeVar

import pytest

from portal.api import methods
from tests.database import migrated
from tests.serving import at_one_address, surroundings

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Portal:
    """A running server and the keys of its demo."""

    url: str
    port: int
    keys: dict[str, tuple[str, str]]
    elsewhere: tuple[str, str]
    environment: dict[str, str]


@pytest.fixture(scope="session")
def portal(tmp_path_factory) -> Iterator[Portal]:
    data = tmp_path_factory.mktemp("portal")
    port = free_port()
    environment = surroundings() | {
        "PORTAL_DEBUG": "1",
        "PORTAL_VAR": str(data),
        "PORTAL_BASE_URL": f"http://localhost:{port}",
        # The tests call faster than the tier of the demo allows.
        "PORTAL_API_LIMITS": "0",
    }
    migrated.begun(data)
    command = [sys.executable, "manage.py", "demo", "--migrate"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=180)
    granian = ["-m", "granian", *at_one_address(), "--host", "127.0.0.1", "--port", str(port)]
    options = ["--workers", "1", "--log-level", "warning", "portal.asgi:application"]
    server = subprocess.Popen([sys.executable, *granian, *options], cwd=ROOT, env=environment)
    try:
        wait_for(port, server)
        demo = json.loads((data / "demo.json").read_text())
        bots = demo["service_users"]
        keys = {bot["name"]: (bot["api_key"], bot["api_secret"]) for bot in bots}
        elsewhere = next(keys[bot["name"]] for bot in bots if bot["organization"] == "Elsewhere")
        yield Portal(f"http://127.0.0.1:{port}", port, keys, elsewhere, environment)
    finally:
        server.terminate()
        server.wait(20)


def every_method() -> set[str]:
    """What each client has to have called with its own functions."""
    return {*methods.PUBLIC, *methods.PRIVATE}


def unzipped(content: bytes) -> str:
    """The one table of an export."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (name,) = archive.namelist()
        return archive.read(name).decode()


def soon(act: Callable[[], T], is_there: Callable[[T], bool]) -> T:
    """Ask again until it is so: exports and Earn take a moment."""
    answer = act()
    for _ in range(100):
        if is_there(answer):
            return answer
        time.sleep(0.1)
        answer = act()
    raise AssertionError(answer)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
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
