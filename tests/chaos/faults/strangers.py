"""People and programs that nobody knows, and many of them."""

import signal
import subprocess
import sys
from dataclasses import dataclass, field
from typing import ClassVar

from tests.chaos.faults.fault import Fault
from tests.chaos.installation.whole import SOURCES
from tests.serving import ROOT

ENDS_WITHIN = 30


@dataclass
class Strangers(Fault):
    """A program of strangers, as long as it lasts. It leaves the processor to others where they need it: it is not part
    of the installation, and would be elsewhere.
    """

    kind: ClassVar[str]
    connections: ClassVar[int]
    sources: ClassVar[int]
    seconds = 10.0
    rounds = 3
    program: "subprocess.Popen[str] | None" = field(default=None, init=False)

    def begin(self) -> None:
        sources = self.there.sources[: self.sources]
        command = ["nice", "-n", "10", sys.executable, "-m", "tests.chaos.players.flood", self.kind]
        self.program = subprocess.Popen(
            self.there.inside([*command, str(self.connections), *sources]), cwd=ROOT, env=self.there.callers(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def end(self) -> None:
        assert self.program is not None
        self.program.send_signal(signal.SIGTERM)
        try:
            said, _ = self.program.communicate(timeout=ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self.program.kill()
            said, _ = self.program.communicate()
        self.what = said.strip()


class FloodOfMany(Strangers):
    name = "sign-in flood: 1,000 connections, many sources"
    kind, connections, sources = "sign-in", 1000, SOURCES


class FloodOfOne(Strangers):
    name = "sign-in flood: 1,000 connections, one source"
    kind, connections, sources = "sign-in", 1000, 1


class SlowBodies(Strangers):
    name = "slow bodies: 200 connections"
    kind, connections, sources = "slow-bodies", 200, 4
    rounds = 1
    seconds = 15.0


ALL = (FloodOfMany, FloodOfOne, SlowBodies)
