"""What open sockets cost those who call: the same signed call while many are open, and while none is."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from django.db import connection

from accounts.api_keys import lifecycle
from accounts.api_keys.lifecycle import Credential
from accounts.api_keys.streaming import tokens
from accounts.models import StreamSocket
from benchmarks.ratio import Ratio, compare
from benchmarks.signed_call import REPEATS, through
from portal.application import application
from tests.factories.world import READING, World, make_bot
from tests.soak.nodes import stream, wait_for

SOCKETS = 200
SETTLED_SECONDS = 1.0
WRITTEN_WITHIN = 60.0


@dataclass(slots=True)
class Holder:
    """The process that holds the sockets, all with one key."""

    credential: Credential
    said: IO[str]
    heard: IO[str]
    is_open: bool = False

    def open(self) -> None:
        """Until all are subscribed; nothing if they are."""
        if not self.is_open:
            self._ask(f"open {tokens.issue(self.credential)}", SOCKETS)
        self.is_open = True

    def close(self) -> None:
        """Until all are gone; nothing if they are."""
        if self.is_open:
            self._ask("close", 0)
        self.is_open = False

    def _ask(self, line: str, written: int) -> None:
        self.said.write(f"{line}\n")
        self.said.flush()
        assert self.heard.readline() == "done\n", "the sockets are not held"
        # What follows it in the server is no part of holding them.
        end = time.monotonic() + WRITTEN_WITHIN
        while StreamSocket.objects.count() != written:
            assert time.monotonic() < end, f"{StreamSocket.objects.count()} sockets are open, not {written}"
            time.sleep(0.1)
        time.sleep(SETTLED_SECONDS)


def ratios(world: World) -> Iterator[Ratio]:
    """`Balance` of a bot with six assets, through the door. What opening and closing take is not counted."""
    work = through(application, world.bot("readonly-bot"))
    with _holder(world) as holder:
        yield compare(
            f"a signed Balance while {SOCKETS} sockets are open",
            work,
            "while none is",
            work,
            repeats=REPEATS,
            first=holder.open,
            base_first=holder.close,
        )


@contextmanager
def _holder(world: World) -> Iterator[Holder]:
    bot = make_bot(world.members["owner"], world.account, "stream-bot", READING, websocket=True)
    credential = lifecycle.find(bot.public)
    assert credential is not None
    with tempfile.TemporaryDirectory() as folder:
        node = stream("stream", {**os.environ, "DATABASE_URL": _database()}, Path(folder))
        node.start()
        try:
            wait_for(node)
            url = f"ws://127.0.0.1:{node.port}/v2"
            with subprocess.Popen(
                [sys.executable, "-m", "benchmarks.held_sockets", url, str(SOCKETS)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            ) as process:
                assert process.stdin is not None
                assert process.stdout is not None
                yield Holder(credential, process.stdin, process.stdout)
                process.stdin.close()
        finally:
            node.ask_to_end()
            node.stop()


def _database() -> str:
    """Where the database of this run is: on the server that DATABASE_URL names, or in a file."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
