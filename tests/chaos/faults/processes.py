"""Processes that end without a word (SIGKILL), as the system does it that runs out of memory."""

from dataclasses import dataclass, field
from typing import ClassVar

from tests.chaos.faults.fault import Fault
from tests.chaos.installation.nodes import Node
from tests.machines.machine import Machine

BACKENDS = "pgrep --full '^postgres: .*countersign_web countersign '"


@dataclass
class UnitKilled(Fault):
    """The main process of one of a node's units."""

    unit: ClassVar[str]
    node: Node = field(init=False)
    killed: int = field(default=0, init=False)

    def begin(self) -> None:
        self.node = self.a_node()
        self.what = self.node.name
        self.killed = self.node.main_process(self.unit)
        self.node.machine.run("kill", "-KILL", str(self.killed))

    def is_mended(self) -> bool:
        """Whether the system has put another one in its place."""
        return self.node.main_process(self.unit) not in {0, self.killed}


class WebKilled(UnitKilled):
    name = "kill -9: main process of pages and calls"
    unit = "countersign-web"


class StreamKilled(UnitKilled):
    name = "kill -9: sockets"
    unit = "countersign-stream"


class WorkKilled(UnitKilled):
    name = "kill -9: work"
    unit = "countersign-work"


class NginxKilled(UnitKilled):
    name = "kill -9: nginx"
    unit = "nginx"


@dataclass
class WorkerKilled(Fault):
    """One of the processes that answer pages and calls; the node puts another one in its place."""

    name = "kill -9: worker of pages and calls"
    node: Node = field(init=False)
    killed: int = field(default=0, init=False)

    def begin(self) -> None:
        self.node = self.a_node()
        self.what = self.node.name
        workers = self._workers()
        self.killed = self.chance.choice(workers)
        self.node.machine.run("kill", "-KILL", str(self.killed))

    def is_mended(self) -> bool:
        workers = self._workers()
        return self.killed not in workers and len(workers) >= 2

    def _workers(self) -> list[int]:
        found = []
        for pid in self.node.children(self.node.main_process("countersign-web")):
            line = self.node.machine.run("cat", f"/proc/{pid}/cmdline", check=False).stdout
            if line and "resource_tracker" not in line:
                found.append(pid)
        return found


@dataclass
class RedisKilled(Fault):
    name = "kill -9: Redis"

    def begin(self) -> None:
        self.there.machines["redis"].run("systemctl", "kill", "--signal=KILL", "redis-server")


@dataclass
class DatabaseProcessKilled(Fault):
    """A process of PostgreSQL on the machine that leads."""

    machine: Machine = field(init=False)

    def begin(self) -> None:
        leader = self.there.databases.leader()
        assert leader is not None
        self.machine, self.what = leader, leader.name
        leader.run("kill", "-KILL", str(self.victim()))

    def victim(self) -> int:
        """Which one."""
        raise NotImplementedError


class BackendKilled(DatabaseProcessKilled):
    """PostgreSQL then ends all others and recovers, since nobody knows what that one left in the memory they share."""

    name = "kill -9: a backend of PostgreSQL"

    def victim(self) -> int:
        return int(self.chance.choice(self.machine.shell(BACKENDS).split()))


class PostmasterKilled(DatabaseProcessKilled):
    name = "kill -9: main process of PostgreSQL"

    def victim(self) -> int:
        return int(self.machine.shell("head -n 1 /var/lib/postgresql/15/*/postmaster.pid"))


class PatroniKilled(DatabaseProcessKilled):
    name = "kill -9: Patroni"

    def victim(self) -> int:
        return int(self.machine.run("systemctl", "show", "--property=MainPID", "--value", "patroni").stdout)


ALL = (
    WorkerKilled, WebKilled, StreamKilled, WorkKilled, NginxKilled, RedisKilled, BackendKilled, PostmasterKilled,
    PatroniKilled,
)  # fmt: skip
