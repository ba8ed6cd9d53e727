"""Two machines with PostgreSQL under Patroni, and a third that has the portal: all three agree by etcd."""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.machines import installation
from tests.machines.installation import Release
from tests.machines.machine import Machine, machines
from tests.machines.networks import Network
from tests.operating.wheels import ROOT

DEPLOY: Final = ROOT / "deploy"
NAMES: Final = ("db1", "db2", "node1")
PACKAGES: Final = (*installation.PACKAGES, "patroni", "etcd-server", "etcd-client", "haproxy")
# On a machine that has other things to do as well.
WITHIN: Final = 120.0
DATABASE: Final = "countersign"
PSQL: Final = ("psql", "-q", "-h", "/var/run/postgresql", "-p", "5432", "-v", "ON_ERROR_STOP=1")


@dataclass
class Cluster:
    """The machines, by what they are for, and the passwords of the roles that they were made with."""

    databases: list[Machine]
    node: Machine
    passwords: dict[str, str] = field(default_factory=dict)
    # Gone, or cut off: then it may go on believing what was so before.
    lost: Machine | None = None

    @property
    def all(self) -> list[Machine]:
        """Those that agree with each other."""
        return [*self.databases, self.node]

    def url(self, role: str) -> str:
        """The database as the portal is told of it: both hosts."""
        where = ",".join(f"{machine.name}:5432" for machine in self.databases)
        return f"postgres://{role}:{self.passwords[role]}@{where}/{DATABASE}"

    def members(self) -> list[dict[str, Any]]:
        """What Patroni says of both databases, on the first that can be asked; nothing while nobody can be."""
        for machine in self.databases:
            if machine is self.lost:
                continue
            with suppress(AssertionError, ValueError):
                said = machine.run(
                    "curl", "--silent", "--max-time", "2", "http://localhost:8008/cluster", check=False, timeout=10
                ).stdout
                if found := json.loads(said).get("members"):
                    members: list[dict[str, Any]] = found
                    return members
        return []

    def primary(self) -> Machine | None:
        """The database that takes changes, as Patroni says."""
        leaders = {member["name"] for member in self.members() if member["role"] == "leader"}
        return next((machine for machine in self.databases if machine.name in leaders), None)

    def is_whole(self) -> bool:
        """Whether there is a primary, and a synchronous replica that follows it."""
        found = {member["role"]: member.get("state") for member in self.members()}
        return found.get("leader") == "running" and found.get("sync_standby") in {"running", "streaming"}

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What the primary answers its superuser."""
        primary = self.primary()
        assert primary is not None
        return primary.run(*PSQL, "-At", "-d", database, "-c", statement, user="postgres").stdout.strip()


def until(holds: Callable[[], object], what: str, *, within: float = WITHIN) -> None:
    """Wait until it is so."""
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end, f"not within {within:.0f} s: {what}"
        time.sleep(0.2)


@contextmanager
def running(network: Network, folder: Path, release: Release) -> Iterator[Cluster]:
    """All of it, made from the files in `deploy` as an operator would, with the portal installed on the third."""
    with machines(network, folder, list(NAMES), PACKAGES) as (first, second, node):
        cluster = Cluster([first, second], node)
        for role in ("postgres", "replicator", "rewinder", "countersign_owner", "countersign_web"):
            cluster.passwords[role] = secrets.token_urlsafe(16)
        for machine in cluster.all:
            machine.put("/etc/default/etcd", _filled("patroni/etcd.env", machine))
            # The cluster that Debian's package makes is none of this one, and its etcd has begun alone.
            machine.shell(
                "systemctl mask --quiet --now postgresql && systemctl stop etcd && rm -rf /var/lib/etcd/default"
            )
        for machine in cluster.all:
            # Each waits for the others.
            machine.shell("systemctl start --no-block etcd")
        until(lambda: _is_agreed(node), "etcd has a leader")
        for machine in cluster.databases:
            _with_patroni(cluster, machine)
        until(cluster.is_whole, "a primary and its synchronous replica")
        _with_portal(cluster, release)
        yield cluster


def _filled(name: str, machine: Machine) -> str:
    """A file that says who db1 is, for another one."""
    lines = (DEPLOY / name).read_text().splitlines(keepends=True)
    shared = "ETCD_INITIAL_CLUSTER="
    return "".join(line if line.startswith(shared) else line.replace("db1", machine.name) for line in lines)


def _is_agreed(machine: Machine) -> bool:
    return "healthy" in machine.shell("ETCDCTL_API=3 etcdctl endpoint health 2>&1 || true")


def _with_patroni(cluster: Cluster, machine: Machine) -> None:
    environment = _filled("patroni/node.env", machine)
    for name, role in (("SUPERUSER", "postgres"), ("REPLICATION", "replicator"), ("REWIND", "rewinder")):
        line = f"PATRONI_{name}_PASSWORD="
        environment = environment.replace(f"{line}\n", f"{line}{cluster.passwords[role]}\n")
    machine.put("/etc/patroni/config.yml", (DEPLOY / "patroni/patroni.yml").read_bytes())
    machine.put("/etc/patroni/countersign.conf", (DEPLOY / "postgresql/countersign.conf").read_bytes())
    machine.put("/etc/patroni_env.conf", environment, mode=0o600)
    machine.copy(DEPLOY / "patroni/service.conf", "/etc/systemd/system/patroni.service.d/countersign.conf")
    machine.shell("systemctl daemon-reload && systemctl restart patroni")


def _with_portal(cluster: Cluster, release: Release) -> None:
    primary = cluster.primary()
    assert primary is not None
    primary.run(*PSQL, "-f", "-", user="postgres", given=(DEPLOY / "postgresql/roles.sql").read_text())
    for role in ("countersign_owner", "countersign_web"):
        cluster.sql(f"ALTER ROLE {role} PASSWORD '{cluster.passwords[role]}'")
    installation.install(
        cluster.node, release, "--database-url", cluster.url("countersign_web"), "--owner-url",
        cluster.url("countersign_owner"), "--without", "postgresql",
    )  # fmt: skip
