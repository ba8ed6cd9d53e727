"""What operators do while people and bots go on."""

from dataclasses import dataclass

from tests.chaos.faults.fault import Fault
from tests.chaos.installation.nodes import UNITS
from tests.chaos.installation.waiting import until

READY_WITHIN = 90.0
DUMPED = "su postgres -c 'pg_dump --format=custom portal' > /var/tmp/portal.dump; test -s /var/tmp/portal.dump"


@dataclass
class NginxReloaded(Fault):
    name = "upkeep: nginx reloaded"

    def begin(self) -> None:
        for node in self.there.nodes:
            node.machine.run("systemctl", "reload", "nginx")


@dataclass
class UnitsRestarted(Fault):
    """One after the other, each once the one before is ready again, as in an upgrade."""

    name = "upkeep: units restarted one after the other"

    def begin(self) -> None:
        for node in self.there.nodes:
            for unit in UNITS:
                node.machine.run("systemctl", "restart", unit)
                until(node.is_ready, READY_WITHIN, f"{node.name} ready after a restart of {unit}")


@dataclass
class BackupTaken(Fault):
    name = "upkeep: backup taken"

    def begin(self) -> None:
        replica = self.there.databases.replica()
        assert replica is not None
        self.what = replica.name
        replica.shell(DUMPED, timeout=300)


ALL = (NginxReloaded, UnitsRestarted, BackupTaken)
