"""PostgreSQL on two machines, looked after by Patroni, with etcd as the witness of who leads."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.chaos.installation.waiting import until
from tests.machines.machine import Machine
from tests.serving import ROOT

DEPLOY: Final = ROOT / "deploy"
SETTINGS, SURROUNDINGS = "/etc/patroni/config.yml", "/etc/patroni_env.conf"
DATABASE: Final = "countersign"
# Where its data lies: a disk of its own, of so many MiB, which can be full.
DISK: Final = "/var/lib/postgresql"
DISK_SIZE: Final = 2500
STARTED_WITHIN: Final = 120.0
PROGRAMS: Final = "/usr/lib/postgresql/15/bin"
FOLLOWERS: Final = (
    "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum')"
)


@dataclass(frozen=True)
class Databases:
    """The two machines, and the witness. `password` is that of every role."""

    machines: Sequence[Machine]
    witness: Machine
    password: str

    @property
    def url(self) -> str:
        """Where the portal finds whoever leads."""
        hosts = ",".join(f"{machine.name}:5432" for machine in self.machines)
        return f"postgres://countersign_web:{self.password}@{hosts}/{DATABASE}?target_session_attrs=read-write"

    @property
    def owner_url(self) -> str:
        """The same with the role that owns the tables."""
        return self.url.replace("countersign_web", "countersign_owner")

    def url_of(self, machine: Machine) -> str:
        """One machine's database for its owner, whether it leads or follows."""
        return f"postgres://countersign_owner:{self.password}@{machine.address}:5432/{DATABASE}"

    def start(self) -> None:
        """Everything from nothing, and an empty database."""
        self._start_witness()
        for machine in self.machines:
            machine.run("systemctl", "disable", "--now", "postgresql")
            machine.copy(DEPLOY / "patroni/patroni.yml", SETTINGS)
            machine.copy(DEPLOY / "postgresql/countersign.conf", "/etc/patroni/countersign.conf")
            machine.put(SURROUNDINGS, self._surroundings(machine), mode=0o600)
            machine.copy(DEPLOY / "patroni/service.conf", "/etc/systemd/system/patroni.service.d/countersign.conf")
            machine.run("systemctl", "daemon-reload")
            machine.run("systemctl", "enable", "--now", "patroni")
        until(self.is_whole, STARTED_WITHIN, "a leader and a synchronous replica")
        leader = self.leader()
        assert leader is not None
        command = [f"{PROGRAMS}/psql", "-h", "/var/run/postgresql", "-Xq", "--set", "ON_ERROR_STOP=1", "postgres"]
        leader.run(*command, user="postgres", given=(DEPLOY / "postgresql/roles.sql").read_text())
        for role in ("countersign_owner", "countersign_web"):
            self.query(f"ALTER ROLE {role} PASSWORD '{self.password}'")

    def leader(self) -> Machine | None:
        """Whoever takes changes; None while nobody does."""
        for machine in self.machines:
            if self.query("SELECT pg_is_in_recovery()", machine) == "f":
                return machine
        return None

    def replica(self) -> Machine | None:
        """Who follows."""
        for machine in self.machines:
            if self.query("SELECT pg_is_in_recovery()", machine) == "t":
                return machine
        return None

    def is_whole(self) -> bool:
        """Whether one leads, and the other follows it synchronously."""
        leader = self.leader()
        # Not what Patroni says of it: that one may be wrong.
        return leader is not None and self.query(FOLLOWERS, leader) == "1"

    def query(self, statement: str, machine: Machine | None = None, database: str = "postgres") -> str:
        """What it says, asked on the machine itself; empty if it does not answer."""
        there = machine or self.leader()
        if there is None or not there.is_on:
            return ""
        # Not by the network: it may be what is broken.
        environment = {"PGCONNECT_TIMEOUT": "3", "PGOPTIONS": "-c statement_timeout=5000"}
        command = [f"{PROGRAMS}/psql", "-h", "/var/run/postgresql", "-XAtqc", statement, database]
        done = there.run(*command, user="postgres", check=False, environment=environment)
        return done.stdout.strip()

    def switch(self) -> None:
        """Let the other lead, as for maintenance."""
        self.machines[0].shell(f"set -a; . {SURROUNDINGS}; patronictl -c {SETTINGS} switchover --force", timeout=60)

    def members(self) -> dict[str, str]:
        """What Patroni says of each: for whoever wonders."""
        for machine in self.machines:
            if machine.is_on:
                done = machine.run("curl", "-s", "--max-time", "3", "http://127.0.0.1:8008/cluster", check=False)
                if done.returncode == 0 and done.stdout:
                    return {row["name"]: f"{row['role']} {row['state']}" for row in json.loads(done.stdout)["members"]}
        return {}

    def _start_witness(self) -> None:
        here = f"http://{self.witness.address}"
        self.witness.put(
            "/etc/default/etcd",
            f"ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2379\nETCD_ADVERTISE_CLIENT_URLS={here}:2379\n",
        )
        self.witness.run("systemctl", "restart", "etcd")
        self.witness.run("systemctl", "enable", "etcd")

    def _surroundings(self, machine: Machine) -> str:
        """Who the machine is, as it is filled in; one etcd here knows who leads, and not three."""
        lines = [f"PATRONI_ETCD3_HOSTS='{self.witness.name}:2379'"]
        for line in (DEPLOY / "patroni/node.env").read_text().splitlines():
            name = line.partition("=")[0]
            if name.endswith("_PASSWORD"):
                lines.append(f"{name}={self.password}")
            else:
                lines.append(line.replace("db1", machine.name))
        return "\n".join([*lines, ""])
