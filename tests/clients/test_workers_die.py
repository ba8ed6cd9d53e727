"""A worker of a real server that is killed: the node goes on serving, and another one takes its place."""

import os
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.database import migrated
from tests.running import ROOT, free_port, wait_for
from tests.serving import serving, started_by, surroundings, workers_of

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="there is no /proc")]


def is_alive(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def test_the_unit_starts_the_server_as_the_tests_do():
    """fault operations-F10: what runs in public is what `make run` and the tests start, and nothing says otherwise."""
    assert {"--respawn-failed-workers", "--workers-kill-timeout"} <= set(serving())
    written = " ".join(started_by("countersign-web"))
    assert f"granian {' '.join(serving())} --no-ws" in written
    assert written.endswith("portal.asgi:application")
    assert "asginl" not in (ROOT / "docs/operating.md").read_text()


def test_a_worker_that_is_killed_is_replaced_and_its_node_goes_on(tmp_path):
    """fault operations-F10: as the system does it that runs out of memory; then the whole node ends cleanly."""
    port = free_port()
    environment = surroundings() | {"PORTAL_DEBUG": "1", "PORTAL_VAR": str(tmp_path)}
    migrated.begun(tmp_path)
    where = ["--host", "127.0.0.1", "--port", str(port), "--workers", "2", "--log-level", "critical"]
    command = [sys.executable, "-m", "granian", *serving(), *where, "portal.asgi:application"]
    node = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        wait_for(port, node)
        until(lambda: len(workers_of(node.pid)) == 2)
        before = workers_of(node.pid)
        killed = min(before)
        os.kill(killed, signal.SIGKILL)
        until(lambda: len(workers_of(node.pid) - {killed}) == 2)
        assert node.poll() is None
        until(lambda: is_alive(port))
        node.send_signal(signal.SIGTERM)
        node.wait(30)
        assert not is_alive(port)
    finally:
        node.kill()
        node.wait(10)


def until(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.1)
