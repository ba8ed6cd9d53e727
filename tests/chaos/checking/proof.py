"""The end of a run: every check, once all is quiet, and what is told of it."""

import json
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from tests.chaos.checking import figures
from tests.chaos.checking.figures import Happened
from tests.chaos.checking.growth import Growth
from tests.chaos.faults.fault import Fault
from tests.chaos.installation.whole import Installation
from tests.chaos.players import record, stage
from tests.chaos.players.record import Asked, Outcome
from tests.chaos.players.stage import Stage

WORK: Final = "countersign-work"
CHECKED_WITHIN: Final = 600
SHOWN: Final = 30
# What no node may ever say, in text or inside of a line of JSON.
TRACEBACK: Final = re.compile(r"Traceback \(most recent call last\)[\s\S]{0,2500}")
# What operators check with.
COMMANDS: Final = ("verifyaudit", "checkledger")
CHECKED: Final = """
set -a; . /etc/countersign/environment; DATABASE_URL='{url}'; cd /
/opt/countersign/current/bin/countersign {command} 2>&1 || echo FAILED
"""


class Planned(Protocol):
    """What was to be done."""

    @property
    def faults(self) -> list[type[Fault]]:
        """All that were to happen."""


@dataclass
class Result:
    """What is printed, and what is wrong."""

    lines: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def conclude(self, seed: int) -> None:
        """Say what is wrong, or that nothing is."""
        self.lines += [f"WRONG {line}" for line in self.wrong[:SHOWN]]
        told = f"{len(self.wrong)} things are wrong" if self.wrong else "Every answer is there once, and nothing else"
        self.lines.append(f"{told} (seed {seed}).")


def checked(
    there: Installation, players: Stage, plan: Planned, happened: Sequence[Happened], growth: Growth
) -> Result:  # fmt: skip
    """Everything that can be looked at now."""
    result = Result()
    # Whoever keeps an hour of the journal would take away again what is put back to be looked at.
    for node in there.nodes:
        node.machine.run("systemctl", "stop", WORK)
    asked = list(record.read(players.records))
    table = figures.table(asked, happened)
    result.lines += [*table.lines(), *table.floods(), str(growth)]
    missing = [kind.name for kind in plan.faults if kind.name not in {each.name for each in happened}]
    if missing:
        result.lines.append(f"there was no time for: {', '.join(missing)}")
    found = _answers(there, players)
    result.lines.append(f"answers: {found['counts']}")
    result.lines.append(f"sockets: {found['heard']}")
    result.wrong += found["wrong"]
    result.wrong += _commands(there)
    result.wrong += _tracebacks(there)
    result.wrong += growth.wrong()
    result.wrong += [f"nothing was done of {what}" for what in _idle(asked)]
    for node in there.nodes:
        node.machine.run("systemctl", "start", WORK)
    return result


def keep(there: Installation, players: Stage, folder: Path) -> None:
    """All that was recorded, and what nodes and databases said, for whoever looks for the reason."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(players.folder, folder, ignore=shutil.ignore_patterns("cast.json"))
    for machine in there.machines.values():
        if machine.is_on:
            said = machine.run(
                "journalctl", "--no-pager", "--output=short-iso-precise", check=False, timeout=120
            ).stdout
            (folder / f"{machine.name}.journal").write_text(said)


def _answers(there: Installation, players: Stage) -> dict[str, Any]:
    program = [sys.executable, "-m", "tests.chaos.checking.answers", str(players.records), str(players.heard)]
    environment = there.beside(there.databases.owner_url, players.folder)
    found: dict[str, Any] = json.loads(stage.run_inside(there, program, environment, CHECKED_WITHIN))
    return found


def _commands(there: Installation) -> Iterator[str]:
    """What the commands say of the database that leads, and of the one that follows."""
    for machine in (there.databases.leader(), there.databases.replica()):
        if machine is None:
            yield "there is no database that leads, or none that follows"
            continue
        for command in COMMANDS:
            script = CHECKED.format(url=there.databases.url_of(machine), command=command)
            said = there.nodes[0].machine.shell(script, check=False, timeout=CHECKED_WITHIN)
            if said.rstrip().endswith("FAILED") or not said.strip():
                yield f"{command} on {machine.name}: {said[-1500:]}"


def _tracebacks(there: Installation) -> Iterator[str]:
    for node in there.nodes:
        for words in dict.fromkeys(TRACEBACK.findall(node.said())):
            yield f"{node.name} said:\n{words}"


def _idle(asked: Sequence[Asked]) -> set[str]:
    """A run in which nothing happened shows nothing."""
    done = {each.what for each in asked if each.outcome == Outcome.DONE}
    return {"Balance", "AddOrder", "CancelOrder", "Withdraw", "sign in", "decide"} - done
