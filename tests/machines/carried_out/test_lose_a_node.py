"""One of two nodes is lost behind a balancer as `deploy` has it, and a new machine takes its place."""

import json
import secrets
import shutil

import pytest

from tests.machines import installation, networks, runbooks
from tests.machines.carried_out import hands
from tests.machines.failovers.cluster import until
from tests.machines.installation import BROUGHT, DOMAIN, PACKAGES
from tests.machines.machine import Machine, machines
from tests.machines.visitor import Visitor
from tests.serving import ROOT

pytestmark = pytest.mark.drill

NAMES = ("front", "node1", "node2")
# What the balancer's file says that nginx needs.
BEHIND = "proxy_protocol; set_real_ip_from {front}; real_ip_header proxy_protocol;"
SITE = "/etc/nginx/sites-available/countersign.conf"


@pytest.fixture(scope="module")
def three(network, tmp_path_factory):
    with machines(network, tmp_path_factory.mktemp("machines"), list(NAMES), (*PACKAGES, "haproxy")) as three:
        yield three


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return installation.release(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def installed(three, release):
    """Two nodes that share a database, with HAProxy in front of them."""
    front, first, second = three
    password = secrets.token_hex(16)
    front.put("/root/countersign/roles.sql", (ROOT / "deploy/postgresql/roles.sql").read_text())
    front.shell(hands.SHARED.format(domain=DOMAIN, password=password, prefix=front.network.prefix))
    certificate = [front.shell(f"cat /etc/nginx/{name}.pem") for name in ("certificate", "key")]
    for role in ("owner", "web"):
        first.put(f"/root/{role}", f"postgres://countersign_{role}:{password}@front:5432/countersign\n", mode=0o600)
    for node in (first, second):
        for name, text in zip(("certificate", "key"), certificate, strict=True):
            node.put(f"/etc/ssl/own/{name}.pem", text, mode=0o600)
        # Only the first finds these machines before it has the settings.
        node.shell("systemctl mask --quiet --now postgresql redis-server")
    own = ["--certificate", "/etc/ssl/own/certificate.pem", "--certificate-key", "/etc/ssl/own/key.pem"]
    given = ["--database-url", "@/root/web", "--owner-url", "@/root/owner", "--redis-url", "redis://front:6379/0"]
    installation.install(first, release, *given, *own, "--without", "postgresql,redis")
    installation.bring(second, release)
    second.put("/root/environment", first.shell("cat /etc/countersign/environment"), mode=0o600)
    installation.run_installer(second, "--environment", "/root/environment", *own)
    behind = BEHIND.format(front=front.address)
    for node in (first, second):
        node.shell(
            f"sed -i 's/listen 443 ssl http2;/listen 443 ssl http2 {behind}/; /listen \\[::\\]:443/d' {SITE}\n"
            "nginx -t && systemctl reload nginx"
        )
    # Those whom the balancer's file names as well: it would wait for an answer of the DNS.
    front.shell("echo 127.0.0.1 db1 db2 >>/etc/hosts")
    front.put("/etc/haproxy/haproxy.cfg", (ROOT / "deploy/haproxy/haproxy.cfg").read_bytes())
    front.shell("systemctl disable --now --quiet nginx && systemctl restart haproxy")
    return three


def test_a_node_is_lost_and_a_new_machine_takes_its_place(installed, release, network, tmp_path):
    steps = runbooks.steps("lose-a-node")
    assert sorted(steps) == [1, 2, 4, 5]
    front, left, lost = installed
    owner = installation.found(left)
    key = installation.make_key(left, owner)
    certificate = tmp_path / "certificate.pem"
    certificate.write_text(front.shell("cat /etc/nginx/certificate.pem"))
    new = Machine("node2", network.address(len(NAMES) + 1), network, lost.image, tmp_path / "new")
    with networks.named(network, {DOMAIN: front.address}):
        visitor = Visitor(network, f"https://{DOMAIN}", certificate)
        until(lambda: visitor.get("/healthz")[0] == 200, "the balancer leads to a node")
        cookies = visitor.sign_in(owner.email, owner.password, owner.secret)
        lost.kill()
        until(lambda: "node2 is DOWN" in front.shell(steps[2][0], check=False), "the balancer leaves it out")
        said = left.shell(steps[1][0])
        assert json.loads(said.splitlines()[0])["ready"] is True
        assert said.splitlines()[1:] == ["active"] * 3
        # Whoever was served by the one that is gone is served by the other.
        assert visitor.get("/history/", cookies)[0] == 200
        assert visitor.call(*key, "Balance")["error"] == []
        try:
            new.start()
            new.put("/etc/hosts", f"127.0.0.1 localhost\n{front.address} front\n{new.address} node2\n")
            new.shell("systemctl mask --quiet --now postgresql redis-server")
            installation.bring(new, release)
            hands.bring_what_is_left(left, new)
            # It reaches no package index: the packages were brought along.
            script = steps[4][0].replace("./install.sh", f"./install.sh --wheels {BROUGHT}/wheels")
            new.shell(f"cd {BROUGHT}\n{script}", timeout=600)
            hosts = front.shell("cat /etc/hosts").replace(f"{lost.address} ", f"{new.address} ")
            front.put("/etc/hosts", hosts)
            front.shell(steps[5][0])
            new.shell(hands.READY.format(port=8000), timeout=180)
            # The new one alone answers now, as the balancer finds it: of it, it has said nothing bad since.
            left.shell("systemctl stop nginx")
            until(lambda: "node1 is DOWN" in front.shell(steps[2][0]), "the balancer leaves the other out")
            assert visitor.get("/history/", cookies)[0] == 200
            assert visitor.call(*key, "Balance")["error"] == []
            left.shell("systemctl start nginx")
            until(lambda: "node1 is UP" in front.shell(steps[2][0]), "both are there")
            assert json.loads(left.shell(steps[1][0]).splitlines()[0])["duties"] == "ok"
        finally:
            new.kill()
            shutil.rmtree(new.folder, ignore_errors=True)
