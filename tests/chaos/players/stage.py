"""All who use the installation: their cast made, their programs started, watched, and ended."""

import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.chaos.installation.whole import Installation
from tests.chaos.players.cast import ORGANIZATION, OWNER, PASSWORD, Person
from tests.serving import ROOT

SECRET: Final = re.compile(r"^\s*secret\s+([A-Z2-7]+)\s*$", re.MULTILINE)
FOUNDED_WITHIN: Final = 300
ENDS_WITHIN: Final = 90


@dataclass
class Program:
    """One of the players' programs, and what it said."""

    name: str
    process: "subprocess.Popen[bytes]"
    said: Path

    def check(self) -> None:
        """Raises: AssertionError if it has ended by itself."""
        assert self.process.poll() is None, f"{self.name} ended: {self.said.read_text()[-3000:]}"

    def end(self) -> None:
        """Let it end what it has begun."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@dataclass
class Stage:
    """Where they play: `records` has what each was answered, `heard` what the sockets were told."""

    there: Installation
    folder: Path
    owner: Person
    programs: dict[str, Program] = field(default_factory=dict)

    @property
    def cast(self) -> Path:
        """The file of who they are."""
        return self.folder / "cast.json"

    @property
    def records(self) -> Path:
        """The folder of what they were answered."""
        return self.folder / "records"

    @property
    def heard(self) -> Path:
        """The file of what sockets were told."""
        return self.folder / "heard.json"

    def start(self) -> None:
        """Everybody."""
        self.records.mkdir(exist_ok=True)
        self._start("bots", self.records)
        self._start("people", self.records / "people.jsonl")
        self._start("sockets", self.heard)

    def check(self) -> None:
        """Raises: AssertionError if somebody has left."""
        for program in self.programs.values():
            program.check()

    def end(self, *names: str) -> None:
        """Let these leave; all, if none is named."""
        for name in names or tuple(self.programs):
            self.programs[name].end()
            del self.programs[name]

    def _start(self, name: str, target: Path) -> None:
        said = self.folder / f"{name}.log"
        command = [sys.executable, "-m", f"tests.chaos.players.{name}", str(self.cast), str(target)]
        # What signs calls for the sockets is part of the portal's own tests, and wants its settings.
        environment = self.there.beside(self.there.databases.owner_url, self.folder)
        with said.open("ab") as log:
            process = subprocess.Popen(
                self.there.inside(command), cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.programs[name] = Program(name, process, said)


@contextmanager
def built(there: Installation, bots: int) -> Iterator[Stage]:
    """The Organization founded by the operator's command, everybody else made; nobody has begun."""
    with tempfile.TemporaryDirectory(prefix="soak-players-") as folder:
        owner = _founded(there)
        stage = Stage(there, Path(folder), owner)
        program = [sys.executable, "-m", "tests.chaos.players.founding", str(stage.cast), str(bots)]
        environment = there.beside(there.databases.owner_url, stage.folder)
        run_inside(there, program, environment, FOUNDED_WITHIN)
        try:
            yield stage
        finally:
            stage.end()


def run_inside(there: Installation, program: Sequence[str], environment: dict[str, str], within: float) -> str:
    """What a program of this machine prints that runs where the installation can be reached."""
    done = subprocess.run(
        there.inside(program), cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False, timeout=within,
    )  # fmt: skip
    assert done.returncode == 0, f"{' '.join(program)}: {done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def _founded(there: Installation) -> Person:
    command = ["countersign", "createorganization", "--name", ORGANIZATION, "--currency", "USD", "--owner-email", OWNER]
    options = ["--owner-name", "Olive Marsh", "--yes", "--password-stdin"]
    said = there.nodes[0].machine.run(*command, *options, given=f"{PASSWORD}\n").stdout
    secret = SECRET.search(said)
    assert secret is not None, said
    return Person(OWNER, secret[1])
