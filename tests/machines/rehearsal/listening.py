"""A program with a socket for each bot, from outside, while something is done; and what it was told."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from tests.chaos.players.cast import Cast
from tests.chaos.players.stage import Program
from tests.machines.rehearsal.stage import Rehearsal
from tests.serving import ROOT
from tests.soak.player import Player

# So long after the last call everybody has been told of it.
SETTLED: Final = 6


@dataclass
class Heard:
    """How many sessions there were, and every message of them: known once the program has ended."""

    sessions: int = 0
    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def frames(self) -> int:
        """How many messages."""
        return len(self.messages)

    def of(self, channel: str) -> list[dict[str, Any]]:
        """Everything that a channel said, in its order."""
        return [row for each in self.messages if each.get("channel") == channel for row in each.get("data", ())]


@contextmanager
def to(players: Sequence[Player], rehearsal: Rehearsal) -> Iterator[Heard]:
    """While it lasts, a socket for each of them is open, and opened again where it ends."""
    cast, file, log = (rehearsal.folder / name for name in ("listeners.json", "heard.json", "listeners.log"))
    Cast([], list(players), []).write(cast)
    heard, there = Heard(), rehearsal.there
    command = [sys.executable, "-m", "tests.chaos.players.sockets", str(cast), str(file)]
    environment = there.beside(there.databases.owner_url, rehearsal.folder)
    with log.open("ab") as said:
        process = subprocess.Popen(
            there.inside(command), cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
    program = Program("sockets", process, log)
    try:
        yield heard
        program.check()
        time.sleep(SETTLED)
    finally:
        program.end()
    sessions = json.loads(file.read_text())
    heard.sessions = len(sessions)
    heard.messages = [json.loads(text) for session in sessions for _, text in session["frames"]]
