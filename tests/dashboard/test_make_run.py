"""`make run` from outside: a portal, and beside it the exchange that its demo is connected to."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import time_ns
from urllib.request import urlopen

import pytest

from tests.database import migrated
from tests.gateway.upstream.exchange import call
from tests.ports import lasting
from tests.running import ROOT
from tests.serving import surroundings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="there is no /proc"),
    pytest.mark.skipif(not shutil.which("make"), reason="make is not installed"),
]
SECONDS = 240


@dataclass
class Run:
    """What was started, and where it answers."""

    make: "subprocess.Popen[bytes]"
    var: Path
    url: str
    exchange: str

    @property
    def server(self) -> int:
        """The process that everything else has to end with: the shell of the recipe became it."""
        (found,) = Path(f"/proc/{self.make.pid}/task/{self.make.pid}/children").read_text().split()
        return int(found)


@contextmanager
def make_run(folder: Path, port: int) -> Iterator[Run]:
    """With the packages of the tests, so that nothing is installed."""
    environment = folder / "environment"
    environment.mkdir(exist_ok=True)
    for name in ("bin", "lib", "pyvenv.cfg"):
        if (Path(sys.prefix) / name).exists() and not (environment / name).exists():
            (environment / name).symlink_to(Path(sys.prefix) / name)
    (environment / ".runtime").touch()
    var = folder / "var"
    command = ["make", "--silent", "run", f"VENV={environment}", f"VAR={var}", f"PORT={port}"]
    with (folder / "output.txt").open("w") as output:
        make = subprocess.Popen(
            command, cwd=ROOT, env=surroundings(), stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield Run(make, var, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}")
    finally:
        if make.poll() is None:
            os.killpg(make.pid, signal.SIGTERM)
        make.wait(30)


def answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/0/public/Time", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def until(condition) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.1)


def two_free_ports() -> int:
    port = lasting()
    while answers(f"http://127.0.0.1:{port + 1}"):
        port = lasting()
    return port


def test_the_exchange_comes_with_the_portal_and_ends_with_it(tmp_path):
    for var in (tmp_path / "var", tmp_path / "var" / "exchange"):
        migrated.begun(var)
    port = two_free_ports()
    with make_run(tmp_path, port) as run:
        until(lambda: answers(run.url) and answers(run.exchange))
        told = json.loads((run.var / "exchange" / "credentials.json").read_text())
        withdrawing, rest = ((told[name]["public"], told[name]["secret"]) for name in ("withdrawing", "rest"))
        permissions = call(run.exchange, withdrawing, "GetApiKeyInfo", nonce=time_ns())["result"]["permissions"]
        assert permissions == ["withdraw-funds"]
        assert call(run.exchange, rest, "Balance", nonce=time_ns())["result"]["XXBT"] == "3.2500000000"
        # They are of another installation: the portal itself does not know them.
        assert call(run.url, rest, "Balance", nonce=time_ns())["error"] == ["EAPI:Invalid key"]
        os.kill(run.server, signal.SIGTERM)
        until(lambda: not answers(run.exchange))
    with make_run(tmp_path, port) as run:
        until(lambda: answers(run.url) and answers(run.exchange))
        assert call(run.exchange, rest, "Balance", nonce=time_ns())["error"] == []
