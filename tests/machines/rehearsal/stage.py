"""The installation that is rehearsed on, and how a step of a runbook is carried out on it."""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.chaos.installation import whole
from tests.chaos.installation.nodes import Node
from tests.chaos.installation.waiting import until
from tests.chaos.installation.whole import BACKUPS, BASE_URL, Installation, Wanted
from tests.chaos.players import codes
from tests.chaos.run import BROWSERS
from tests.machines import installation, runbooks
from tests.machines.installation import BROUGHT, Person, Release
from tests.machines.machine import Machine
from tests.machines.visitor import Visitor

PACKAGES: Final = (*whole.PACKAGES, "age", "socat")
SETTINGS: Final = {"PORTAL_API_LIMITS": "0", "PORTAL_BACKUP_DIR": BACKUPS, "PORTAL_METRICS_FROM": "127.0.0.1"}
STEP_WITHIN: Final = 600
READY_WITHIN: Final = 180
# As `install.sh` is called where no package index is reached: the packages were brought along.
INSTALLER: Final = f"./install.sh --wheels {BROUGHT}/wheels"
# Debian's own cluster, which is off, may have been given another port: that is the one its programs ask for.
AT_PATRONIS: Final = "export PGPORT=5432\n"
SERVED: Final = "curl --silent http://127.0.0.1:8000/readyz || true"


def wanted(release: Release) -> Wanted:
    """An installation of that release."""
    return Wanted(packages=PACKAGES, settings=SETTINGS, release=release, is_unsteady=False)


@dataclass
class Rehearsal:
    """The installation, the release that it has to come to, and what was seen.

    `pictures` is where people leave what they saw; `demo` is who came along from SQLite, once somebody has.
    """

    there: Installation
    release: Release
    folder: Path
    pictures: Path
    demo: dict[str, Any] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    @property
    def first(self) -> Machine:
        """The node that knows the owner of the database."""
        return self.there.nodes[0].machine

    @property
    def second(self) -> Machine:
        """The other one."""
        return self.there.nodes[1].machine

    @property
    def hosts(self) -> list[Machine]:
        """Both."""
        return [node.machine for node in self.there.nodes]

    @property
    def front(self) -> Machine:
        """The balancer."""
        return self.there.machines["front"]

    @property
    def primary(self) -> Machine:
        """The database that takes changes."""
        leader = self.there.databases.leader()
        assert leader is not None
        return leader

    @property
    def owner(self) -> Person:
        """The Owner of what came along."""
        (found,) = (row for row in self.demo["members"] if row["email"].startswith("owner@"))
        return Person(found["email"], found["password"], found["totp_secret"])

    def visitor(self) -> Visitor:
        """Whoever calls from outside."""
        return Visitor(self.there.network, BASE_URL, self.there.authority)

    def key(self, name: str) -> tuple[str, str]:
        """Of a bot that came along."""
        (found,) = (row for row in self.demo["service_users"] if row["name"] == name)
        return found["api_key"], found["api_secret"]

    def signed_in(self, person: Person) -> dict[str, str]:
        """Their cookies."""
        self.next_code()
        return self.visitor().sign_in(person.email, person.password, person.secret)

    @staticmethod
    def next_code() -> None:
        """Wait until every authenticator app shows another one: each serves once."""
        time.sleep(codes.STEP - time.time() % codes.STEP + 1)

    def say(self, words: str) -> None:
        """What was seen."""
        sys.stdout.write(f"{time.monotonic() - self.began:6.0f} s  {words}\n")
        sys.stdout.flush()

    def bring(self) -> None:
        """The release to come to, to both nodes, into an empty folder."""
        for machine in self.hosts:
            machine.shell(f"rm -rf {BROUGHT}")
            installation.bring(machine, self.release)

    def until_well(self) -> float:
        """Seconds until all of it is. Raises: AssertionError naming what is not."""
        began = time.monotonic()
        try:
            until(self.there.is_well, READY_WITHIN, "an installation that is well")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.there.trouble()}") from None
        return time.monotonic() - began

    def readyz(self, node: Node | Machine) -> dict[str, Any]:
        """What the node says of itself."""
        machine = node.machine if isinstance(node, Node) else node
        said: dict[str, Any] = json.loads(machine.shell(SERVED) or "{}")
        return said


def carried_out(
    name: str, where: Mapping[int, Sequence[Machine]], *, given: str = "",
    after: Mapping[int, Callable[[], object]] | None = None,
) -> dict[int, str]:  # fmt: skip
    """Every block of the runbook's steps on the machines that `where` has for it, and what each step printed.

    Each begins with `given`; `after` is what the step leaves to be done by hand. Raises: AssertionError where one
    fails, or a step is not known.
    """
    blocks = runbooks.steps(name)
    assert sorted(blocks) == sorted(where), f"{name} has the steps {sorted(blocks)}"
    said = dict.fromkeys(blocks, "")
    for number in sorted(blocks):
        for block in blocks[number]:
            for machine in where[number]:
                said[number] += on(machine, block, given)
        if after and number in after:
            after[number]()
    return said


def on(machine: Machine, block: str, given: str = "") -> str:
    """What that block prints there."""
    return machine.shell(AT_PATRONIS + given + block.replace("./install.sh", INSTALLER), timeout=STEP_WITHIN)


def chromium() -> str:
    """Where the browser is. Raises: AssertionError if there is none."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    assert found, f"no browser is installed: {', '.join(BROWSERS)}"
    return found


def timed(what: Callable[[], object]) -> float:
    """Seconds that it takes."""
    began = time.monotonic()
    what()
    return time.monotonic() - began
