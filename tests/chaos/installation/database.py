"""PostgreSQL on two machines, looked after by Patroni, with etcd as the witness of who leads."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.chaos.installation.waiting import until
from tests.machines.machine import Machine
from tests.serving import ROOT

DATABASE: Final = "countersign"
# Where its data lies: a disk of its own, of so many MiB, which can be full.
DISK: Final = "/var/lib/postgresql"
DISK_SIZE: Final = 1200
STARTED_WITHIN: Final = 120.0
PROGRAMS: Final = "/usr/lib/postgresql/15/bin"
FOLLOWERS: Final = (
    "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum')"
)
CONFIGURATION: Final = """
scope: portal
name: {name}
restapi:
  listen: 0.0.0.0:8008
  connect_address: {address}:8008
etcd3:
  hosts: ["{witness}:2379"]
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 3
    retry_timeout: 5
    maximum_lag_on_failover: 16777216
    synchronous_mode: true
    failsafe_mode: true
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters:
        max_connections: 200
        max_wal_size: 256MB
        wal_keep_size: 128MB
        synchronous_commit: remote_apply
        tcp_keepalives_idle: 5
        tcp_keepalives_interval: 2
        tcp_keepalives_count: 2
        tcp_user_timeout: 10000
        wal_sender_timeout: 10000
        wal_receiver_timeout: 10000
  initdb: [{{encoding: UTF8}}, {{locale: C.UTF-8}}, data-checksums]
postgresql:
  listen: 0.0.0.0:5432
  connect_address: {address}:5432
  data_dir: /var/lib/postgresql/15/portal
  bin_dir: {programs}
  parameters: {{unix_socket_directories: /var/run/postgresql}}
  pg_hba:
    - local all postgres peer
    - host all all 127.0.0.1/32 scram-sha-256
    - host replication replicator 127.0.0.1/32 scram-sha-256
    - host replication replicator {network} scram-sha-256
    - host all all {network} scram-sha-256
  authentication:
    superuser: {{username: postgres, password: {password}}}
    replication: {{username: replicator, password: {password}}}
    rewind: {{username: rewinder, password: {password}}}
"""


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
            machine.put("/etc/patroni/config.yml", self._configuration(machine), mode=0o640)
            machine.run("chown", "root:postgres", "/etc/patroni/config.yml")
            machine.copy(ROOT / "deploy/patroni/service.conf", "/etc/systemd/system/patroni.service.d/countersign.conf")
            machine.run("systemctl", "daemon-reload")
            machine.run("systemctl", "enable", "--now", "patroni")
        until(self.is_whole, STARTED_WITHIN, "a leader and a synchronous replica")
        leader = self.leader()
        assert leader is not None
        command = [f"{PROGRAMS}/psql", "-h", "/var/run/postgresql", "-Xq", "--set", "ON_ERROR_STOP=1", "postgres"]
        leader.run(*command, user="postgres", given=(ROOT / "deploy/postgresql/roles.sql").read_text())
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
        states = (
            "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum')"
        )
        return leader is not None and self.query(states, leader) == "1"

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
        self.machines[0].run("patronictl", "-c", "/etc/patroni/config.yml", "switchover", "--force", timeout=60)

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

    def _configuration(self, machine: Machine) -> str:
        return CONFIGURATION.format(
            name=machine.name, address=machine.address, witness=self.witness.address, password=self.password,
            programs=PROGRAMS, network=f"{machine.network.prefix}.0/24",
        )  # fmt: skip
