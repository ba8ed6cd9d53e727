"""A Redis of our own, on a free port, with nothing kept on disk."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from tests.serving import ROOT


@dataclass
class RedisServer:
    """A server that can be stopped and started again under the same address."""

    port: int
    folder: Path
    process: "subprocess.Popen[bytes] | None" = None
    # What it is told beside its address, such as whom it follows.
    options: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", *self.options]
        self.process = subprocess.Popen(
            ["redis-server", *options, "--dir", str(self.folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        client = redis.Redis(port=self.port)
        for _ in range(100):
            try:
                client.ping()
            except redis.ConnectionError:
                time.sleep(0.05)
            else:
                client.close()
                return
        raise AssertionError("redis-server does not answer")

    def watch(self, master: "RedisServer") -> None:
        """Be a sentinel instead, set up as `deploy` has it but for where things are."""
        text = (ROOT / "deploy/redis/sentinel.conf").read_text()
        for line, ours in (("port 26379", f"port {self.port}"), ("node1 6379", f"127.0.0.1 {master.port}")):
            assert line in text
            text = text.replace(line, ours)
        file = self.folder / f"sentinel-{self.port}.conf"
        file.write_text(f"{text}\nbind 127.0.0.1\ndir {self.folder}\n")
        self.process = subprocess.Popen(
            ["redis-server", str(file), "--sentinel"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None


@contextmanager
def running(folder: Path) -> Iterator[RedisServer]:
    """Skips the test, saying so, where there is no Redis; fails it where nothing may be skipped."""
    if shutil.which("redis-server") is None:
        reason = "redis-server is not installed"
        if os.environ.get("NOTHING_SKIPPED") == "1" or os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = RedisServer(port=probe.getsockname()[1], folder=folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
