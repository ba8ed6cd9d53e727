"""What operators do while people and bots go on."""

from dataclasses import dataclass

from tests.chaos.faults.fault import Fault
from tests.chaos.installation.nodes import UNITS, Node
from tests.chaos.installation.waiting import until
from tests.chaos.installation.whole import BACKUPS

READY_WITHIN = 90.0
BACKED_UP_WITHIN = 300.0


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
        node = self.a_node()
        self.what = node.name
        before = self._kept(node)
        node.machine.run("systemctl", "start", "countersign-backup.service", timeout=BACKED_UP_WITHIN)
        assert self._kept(node) - before, "there is no backup more than before"

    @staticmethod
    def _kept(node: Node) -> set[str]:
        return set(node.machine.shell(f"find {BACKUPS} -type f -size +10k").split())


ALL = (NginxReloaded, UnitsRestarted, BackupTaken)
