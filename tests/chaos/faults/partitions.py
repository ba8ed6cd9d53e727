"""Packets that are dropped between machines, so that nobody is told."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.chaos.faults.fault import Fault
from tests.machines.machine import Machine


@dataclass
class Partition(Fault):
    """One machine that does not reach some others for a while; the rest of the wire is as it was."""

    seconds = 20.0
    machine: Machine = field(init=False)

    def begin(self) -> None:
        self.machine, others = self.sides()
        self.what = f"{self.machine.name} from {', '.join(other.name for other in others) or 'all'}"
        self.machine.cut_off(*(other.address for other in others))

    def end(self) -> None:
        self.machine.join_again()

    def sides(self) -> tuple[Machine, Sequence[Machine]]:
        """Which machine, and from whom; nobody stands for all."""
        raise NotImplementedError


class NodeFromDatabase(Partition):
    name = "partition: a node from the database"

    def sides(self) -> tuple[Machine, Sequence[Machine]]:
        return self.a_node().machine, self.there.databases.machines


class NodeFromRedis(Partition):
    name = "partition: a node from Redis"

    def sides(self) -> tuple[Machine, Sequence[Machine]]:
        return self.a_node().machine, [self.there.machines["redis"]]


class DatabasesApart(Partition):
    name = "partition: database from database"

    def sides(self) -> tuple[Machine, Sequence[Machine]]:
        first, second = self.there.databases.machines
        return first, [second]


class LeaderAlone(Partition):
    name = "partition: database that leads from all"
    # Longer than its lease: the other one takes over, while this one still runs.
    seconds = 30.0

    def sides(self) -> tuple[Machine, Sequence[Machine]]:
        leader = self.there.databases.leader()
        assert leader is not None
        return leader, []


class RedisSilent(Partition):
    name = "slow Redis: packets dropped"

    def sides(self) -> tuple[Machine, Sequence[Machine]]:
        return self.there.machines["redis"], []


ALL = (NodeFromDatabase, NodeFromRedis, DatabasesApart, LeaderAlone, RedisSilent)
