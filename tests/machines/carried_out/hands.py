"""What an operator has before the first command: an installed node, its Owner, and somebody outside who looks at it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.machines import installation, networks
from tests.machines.installation import BROUGHT, DOMAIN, Person
from tests.machines.machine import Machine
from tests.machines.networks import Network
from tests.machines.visitor import Visitor

# The machine that all nodes share: the balancer, PostgreSQL with its roles, Redis.
SHARED: Final = """
umask 022
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN={domain} \
    -addext subjectAltName=DNS:{domain} -keyout /etc/nginx/key.pem -out /etc/nginx/certificate.pem 2>/dev/null
rm -f /etc/nginx/sites-enabled/default
cd /etc/postgresql/*/main
printf '%s\n' "listen_addresses = '*'" 'port = 5432' > conf.d/reached.conf
echo 'host all all {prefix}.0/24 scram-sha-256' >> pg_hba.conf
systemctl restart "postgresql@$(basename "$(dirname "$PWD")")-main"
cd /
runuser -u postgres -- psql -q -v ON_ERROR_STOP=1 < /root/countersign/roles.sql
runuser -u postgres -- psql -q -c "ALTER ROLE countersign_owner PASSWORD '{password}'" \
    -c "ALTER ROLE countersign_web PASSWORD '{password}'"
sed -i -e 's/^bind .*/bind 0.0.0.0/' -e 's/^protected-mode .*/protected-mode no/' /etc/redis/redis.conf
systemctl restart redis-server
"""
# Somebody who asks and carries out, and never approves.
JOINED: Final = """
from accounts.factors import totp
from accounts.models import Organization, User
from accounts.organizations.founding import add_member
from policies.workflows import Right, Workflow
user = User.objects.create_user("{email}", "{password}", name="{name}")
offered = totp.offer(user.email)
rights = [(workflow, right) for workflow in Workflow for right in (Right.INITIATE, Right.EXECUTE)]
member = add_member(Organization.objects.get(), user, rights=rights)
totp.enrol(user, offered)
print(member.pk, offered.secret)
"""
LEFT: Final = (
    "countersign/environment", "countersign/tls/certificate.pem", "countersign/tls/key.pem",
    "nginx/sites-available/countersign.conf",
)  # fmt: skip
READY: Final = "curl --silent --fail --retry 60 --retry-delay 1 --retry-all-errors http://127.0.0.1:{port}/readyz"


@dataclass(frozen=True)
class Portal:
    """A node that people and bots use."""

    node: Machine
    owner: Person
    visitor: Visitor

    def until_ready(self) -> str:
        """Wait until pages and sockets are served; what `/readyz` says then."""
        self.node.shell(READY.format(port=8001), timeout=180)
        return self.node.shell(READY.format(port=8000), timeout=180)

    def signed_in(self) -> dict[str, str]:
        """The Owner's cookies."""
        return self.visitor.sign_in(self.owner.email, self.owner.password, self.owner.secret)


def joined(portal: Portal, name: str) -> tuple[int, Person]:
    """One more member, by their number, as if they had been invited and had come."""
    email, password = f"{name.lower()}@example.test", "a short walk by the river"
    given = JOINED.format(email=email, password=password, name=name)
    number, secret = portal.node.run("countersign", "shell", given=given).stdout.split()[-2:]
    return int(number), Person(email, password, secret)


@contextmanager
def installed(network: Network, node: Machine, folder: Path) -> Iterator[Portal]:
    """The release of this checkout on a fresh machine, with an Organization and its Owner."""
    installation.install(node, installation.release(folder))
    owner = installation.found(node)
    certificate = folder / "certificate.pem"
    certificate.write_text(node.shell("cat /etc/countersign/tls/certificate.pem"))
    with networks.named(network, {DOMAIN: node.address}):
        yield Portal(node, owner, Visitor(network, f"https://{DOMAIN}", certificate))


def bring_what_is_left(source: Machine, machine: Machine) -> None:
    """What lose-a-node.md takes along from a node that is left, as `tar` over `ssh` does: links are followed."""
    for path in LEFT:
        machine.put(f"{BROUGHT}/left/{path}", source.shell(f"cat /etc/{path}"), mode=0o600)
