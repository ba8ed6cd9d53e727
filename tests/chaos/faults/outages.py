"""Machines without power, a database that is stopped, one that hands over, and a disk that is full."""

from dataclasses import dataclass, field

from tests.chaos.faults.fault import Fault
from tests.chaos.installation.database import DISK
from tests.machines.machine import Machine

AS_POSTGRES = "/usr/lib/postgresql/15/bin/pg_ctl stop --mode=immediate --pgdata=/var/lib/postgresql/15/countersign"


@dataclass
class Unplugged(Fault):
    """A machine whose plug is pulled, and is put back some time later."""

    seconds = 15.0
    machine: Machine = field(init=False)

    def begin(self) -> None:
        self.machine = self.victim()
        self.what = self.machine.name
        self.machine.kill()

    def end(self) -> None:
        self.machine.start()

    def victim(self) -> Machine:
        """Whose."""
        raise NotImplementedError


class NodeUnplugged(Unplugged):
    name = "plug pulled: a node"

    def victim(self) -> Machine:
        return self.a_node().machine


class LeaderUnplugged(Unplugged):
    name = "plug pulled: database that leads"
    # Longer than the lease of who leads: the other one takes over.
    seconds = 30.0

    def victim(self) -> Machine:
        leader = self.there.databases.leader()
        assert leader is not None
        return leader


class ReplicaUnplugged(Unplugged):
    name = "plug pulled: database that follows"

    def victim(self) -> Machine:
        replica = self.there.databases.replica()
        assert replica is not None
        return replica


class WitnessUnplugged(Unplugged):
    name = "plug pulled: witness"

    def victim(self) -> Machine:
        return self.there.machines["etcd"]


class RedisUnplugged(Unplugged):
    name = "plug pulled: Redis"

    def victim(self) -> Machine:
        return self.there.machines["redis"]


@dataclass
class ImmediateStop(Fault):
    """PostgreSQL ended at once, as by an operator who is in a hurry."""

    name = "PostgreSQL stopped at once"

    def begin(self) -> None:
        leader = self.there.databases.leader()
        assert leader is not None
        self.what = leader.name
        leader.run("runuser", "-u", "postgres", "--", *AS_POSTGRES.split())


@dataclass
class Handover(Fault):
    """The database that follows is made to lead, as for maintenance."""

    name = "failover"
    before: Machine | None = field(default=None, init=False)

    def begin(self) -> None:
        self.before = self.there.databases.leader()
        self.what = f"from {self.before.name if self.before else 'nobody'}"
        self.there.databases.switch()

    def is_mended(self) -> bool:
        leader = self.there.databases.leader()
        return leader is not None and leader is not self.before


@dataclass
class FullDisk(Fault):
    """No byte is left where the database that leads keeps its data."""

    name = "full disk"
    seconds = 15.0
    machine: Machine = field(init=False)

    def begin(self) -> None:
        leader = self.there.databases.leader()
        assert leader is not None
        self.machine, self.what = leader, leader.name
        # Nearly all of it at once, and the rest byte by byte.
        free = f"$(df --output=avail -B1 {DISK} | tail -n 1)"
        self.machine.shell(f"fallocate -l {free} {DISK}/filler || true")
        self.machine.shell(f"cat /dev/zero > {DISK}/filler.rest 2>/dev/null || true; sync -f {DISK}")

    def end(self) -> None:
        self.machine.run("rm", "-f", f"{DISK}/filler", f"{DISK}/filler.rest")

    def is_mended(self) -> bool:
        free = self.machine.shell(f"df --output=avail -k {DISK} | tail -n 1")
        return int(free) > 50_000


ALL = (
    NodeUnplugged, LeaderUnplugged, ReplicaUnplugged, WitnessUnplugged, RedisUnplugged, ImmediateStop, Handover,
    FullDisk,
)  # fmt: skip
