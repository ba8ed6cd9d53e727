"""The whole installation: made from nothing, known by one address, and looked at as one."""

import base64
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyrage

from tests.chaos.installation import certificates, clocks, database, nodes, services
from tests.chaos.installation.certificates import Certificates
from tests.chaos.installation.database import Databases
from tests.chaos.installation.nodes import Node
from tests.chaos.installation.waiting import until
from tests.machines.installation import Release
from tests.machines.machine import Machine, machines
from tests.machines.networks import Network, laid, run
from tests.serving import HOST, surroundings

PACKAGES: Final = (
    "postgresql", "postgresql-client", "patroni", "etcd-server", "etcd-client", "haproxy", "nginx", "redis-server",
    "redis-sentinel", "pgbouncer", "python3-venv", *clocks.PACKAGES,
)  # fmt: skip
NAMES: Final = ("db1", "db2", "etcd", "redis", "mail", "node1", "node2", "front")
BASE_URL: Final = f"https://{HOST}"
# Addresses of callers beside the usual one, above those of machines.
FIRST_SOURCE: Final = 221
SOURCES: Final = 20
BACKUPS: Final = "/var/backups/countersign"
READY_WITHIN: Final = 180.0
# Of one that is broken on purpose. The bots are faster than the tier of a key allows, and all call from one address.
BROKEN: Final = {
    # Nobody keeps the key that opens them: they are made, and go with the machines.
    "PORTAL_BACKUP_RECIPIENT": str(pyrage.x25519.Identity.generate().to_public()),
    "PORTAL_BACKUP_DIR": BACKUPS,
    "PORTAL_API_LIMITS": "0",
    "PORTAL_STREAM_CONNECTS": "10000",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an installation is made of: packages, settings beside those that each has, and this checkout's release,
    unless another one is named. Where it is not `is_unsteady` no clock can be turned.
    """

    packages: Sequence[str] = PACKAGES
    settings: Mapping[str, str] = field(default_factory=lambda: BROKEN)
    release: Release | None = None
    is_unsteady: bool = True


@dataclass(frozen=True)
class Installation:
    """What there is. `environment` is that of the nodes."""

    network: Network
    machines: Mapping[str, Machine]
    nodes: Sequence[Node]
    databases: Databases
    environment: Mapping[str, str]
    certificates: Certificates

    @property
    def authority(self) -> Path:
        """Whom callers trust."""
        return self.certificates.authority

    @property
    def unsteady(self) -> Node:
        """The node whose clock can be turned."""
        return self.nodes[1]

    @property
    def sources(self) -> list[str]:
        """Addresses that callers may call from, beside the usual one."""
        return [f"{self.network.prefix}.{FIRST_SOURCE + number}" for number in range(SOURCES)]

    def callers(self) -> dict[str, str]:
        """The variables of a program that calls from outside: it trusts the installation's authority."""
        trusted = {name: str(self.authority) for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")}
        return surroundings() | trusted

    def beside(self, database_url: str, folder: Path) -> dict[str, str]:
        """The variables of a program that works on the database as the portal does."""
        return self.callers() | dict(self.environment) | {"DATABASE_URL": database_url, "PORTAL_VAR": str(folder)}

    def inside(self, program: Sequence[str]) -> list[str]:
        """That program of this machine, where the installation can be reached, and known by its name."""
        return [*self.network.inside, *program]

    def trouble(self) -> str:
        """What is not as it should be, of all there is; empty if nothing."""
        for node in self.nodes:
            if words := node.trouble():
                return f"{node.name}: {words}"
        if not self.databases.is_whole():
            return f"database: {self.databases.members()}"
        redis = self.machines["redis"]
        if not redis.is_on or redis.run("redis-cli", "ping", check=False, timeout=20).stdout.strip() != "PONG":
            return "Redis does not answer"
        return ""

    def is_well(self) -> bool:
        """Whether all of it is there."""
        return self.trouble() == ""


@contextmanager
def standing(folder: Path, wanted: Wanted | None = None) -> Iterator[Installation]:
    """An installation that is ready and empty; all of it goes at the end."""
    wanted = wanted or Wanted()
    own = certificates.made(folder, "mail")
    disks = {name: {database.DISK: database.DISK_SIZE} for name in ("db1", "db2")}
    with (
        laid() as network,
        _known(network),
        machines(network, folder, list(NAMES), tuple(wanted.packages), disks) as all_of_them,
    ):
        by_name = {machine.name: machine for machine in all_of_them}
        databases = Databases([by_name["db1"], by_name["db2"]], by_name["etcd"], secrets.token_hex(12))
        databases.start()
        services.start_redis(by_name["redis"])
        services.start_mail(by_name["mail"], own)
        environment = _environment(databases) | dict(wanted.settings)
        hosts = [by_name["node1"], by_name["node2"]]
        if wanted.is_unsteady:
            # The second node's clock is the one that is turned.
            clocks.make_turnable(hosts[1])
        brought = nodes.Brought(environment, databases.owner_url, own, wanted.release)
        own_nodes = nodes.install(hosts, brought, by_name["front"].address)
        services.start_balancer(by_name["front"], hosts)
        there = Installation(network, by_name, own_nodes, databases, environment, own)
        try:
            until(there.is_well, READY_WITHIN, "an installation that is well")
        except AssertionError as error:
            raise AssertionError(f"{error}: {there.trouble()}") from None
        yield there


def _environment(databases: Databases) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": databases.url,
        "PORTAL_SECRET_KEY": secrets.token_urlsafe(64),
        "PORTAL_SEALING_KEYS": "k1:" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "PORTAL_BASE_URL": BASE_URL,
        "PORTAL_ALLOWED_HOSTS": HOST,
        "PORTAL_TRUSTED_PROXIES": "127.0.0.1",
        "PORTAL_MAIL_FROM": f"portal@{HOST}",
        "PORTAL_VAR": "/var/lib/countersign",
        "EMAIL_URL": "smtp+ssl://mail:465",
        "REDIS_URL": "redis://redis:6379/0",
    }


@contextmanager
def _known(network: Network) -> Iterator[None]:
    """Whoever runs inside the network finds the machines by their names, and the balancer by the installation's."""
    folder = Path("/etc/netns") / network.name
    folder.mkdir(parents=True, exist_ok=True)
    addresses = {name: network.address(number) for number, name in enumerate(NAMES, start=1)}
    for number in range(SOURCES):
        run("ip", "-n", network.name, "addr", "add", f"{network.prefix}.{FIRST_SOURCE + number}/24", "dev", "wire")
    lines = ["127.0.0.1 localhost", *(f"{address} {name}" for name, address in addresses.items())]
    (folder / "hosts").write_text("".join(f"{line}\n" for line in (*lines, f"{addresses['front']} {HOST}")))
    try:
        yield
    finally:
        (folder / "hosts").unlink()
        folder.rmdir()
