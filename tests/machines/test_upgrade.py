"""A newer release on two nodes behind a balancer, while a bot calls without a pause: as it is written down."""

import re
import secrets
import time
from collections import Counter

import pytest

from tests.machines import bots, installation, networks, runbooks
from tests.machines.carried_out import hands
from tests.machines.installation import BROUGHT, DOMAIN, PACKAGES
from tests.machines.machine import machines
from tests.operating import wheels
from tests.release import release as this_release
from tests.serving import ROOT

pytestmark = pytest.mark.drill

BALANCER = f"""
upstream nodes {{
    server first:443;
    server second:443;
}}
server {{
    listen 443 ssl;
    server_name {DOMAIN};
    ssl_certificate /etc/nginx/certificate.pem;
    ssl_certificate_key /etc/nginx/key.pem;
    location / {{
        proxy_pass https://nodes;
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto https;
    }}
}}
"""


SITE = "/etc/nginx/sites-available/countersign.conf"
CARRIED = "/opt/countersign/current/deploy/nginx/countersign.conf"
ERRORS = "/var/log/nginx/error.log"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return wheels.built(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    return installation.release_before(tmp_path_factory.mktemp("before"))


@pytest.fixture(scope="module")
def three(network, tmp_path_factory):
    with machines(network, tmp_path_factory.mktemp("machines"), ["front", "first", "second"], PACKAGES) as three:
        yield three


@pytest.fixture(scope="module")
def installed(three, before):
    """The release before on both nodes, behind the balancer."""
    front, first, second = three
    password = secrets.token_hex(16)
    front.put("/root/countersign/roles.sql", (ROOT / "deploy/postgresql/roles.sql").read_text())
    front.shell(hands.SHARED.format(domain=DOMAIN, password=password, prefix=front.network.prefix))
    front.put("/etc/nginx/conf.d/nodes.conf", BALANCER)
    for role in ("owner", "web"):
        first.put(f"/root/{role}", f"postgres://countersign_{role}:{password}@front:5432/countersign\n", mode=0o600)
    given = ["--database-url", "@/root/web", "--owner-url", "@/root/owner", "--redis-url", "redis://front:6379/0"]
    installation.install(first, before, *given)
    installation.bring(second, before)
    second.put("/root/environment", first.shell("cat /etc/countersign/environment"), mode=0o600)
    installation.run_installer(second, "--domain", DOMAIN, "--environment", "/root/environment")
    front.shell("systemctl restart nginx")
    return three


def version(machine) -> str:
    """Of what serves there, once it does."""
    asked = "curl --fail --silent --retry 60 --retry-delay 1 --retry-all-errors http://127.0.0.1:8000/readyz"
    said = machine.shell(asked, timeout=180)
    (found,) = re.findall(r'"version": "([^"]+)"', said)
    assert '"ready": true' in said, said
    return str(found)


def test_both_nodes_are_exchanged_while_bots_call(installed, wheel, before, network, tmp_path):
    front, first, second = installed
    owner = installation.found(first)
    key = installation.make_key(first, owner)
    installation.fund(first)
    # A tier's limits would refuse who calls without a pause.
    first.run("countersign", "setapitier", "Example Ltd", "off")
    time.sleep(5)
    certificate = tmp_path / "certificate.pem"
    certificate.write_text(front.shell("cat /etc/nginx/certificate.pem"))
    for node in (first, second):
        node.shell(f"rm -r {BROUGHT}")
        installation.bring(node, installation.Release(wheel, installation.wheelhouse(), ROOT / "deploy/install.sh"))
    # The machines reach no package index: the packages were brought along.
    options = f"./install.sh --wheels {BROUGHT}/wheels"
    steps, where = runbooks.steps("upgrade"), {3: front, 6: front, 7: second, 8: front}
    assert sorted(steps) == [1, 3, 4, 5, 6, 7, 8, 9]
    with (
        networks.named(network, {DOMAIN: front.address}),
        bots.calling(network, f"https://{DOMAIN}", certificate, key, tmp_path) as told,
    ):
        for number, blocks in sorted(steps.items()):
            for block in blocks:
                where.get(number, first).shell(block.replace("./install.sh", options), timeout=600)
            if number == 4:
                assert (version(first), version(second)) == (this_release(), before.version)
    assert [version(node) for node in (first, second)] == [this_release()] * 2
    assert Counter(told.failed) == {}
    assert told.answered > 20
    nginx_took_over_what_is_new(first)
    what_nginx_cannot_take_over_while_it_runs_is_taken_over_by_a_restart(first)
    print(f"answered {told.answered}, none failed, the longest took {told.longest:.2f} s")  # noqa: T201


def nginx_took_over_what_is_new(node):
    """By a reload, of which `nginx -t` alone does not say what comes of it."""
    assert "[emerg]" not in node.shell(f"cat {ERRORS}")
    node.shell("curl -sk https://127.0.0.1/healthz")
    said = node.shell("tail -n 1 /var/log/nginx/access.log")
    assert re.search(r'^127\.0\.0\.1 \[[0-9T:+-]+\] "GET /healthz HTTP/2\.0" 200', said), said


def what_nginx_cannot_take_over_while_it_runs_is_taken_over_by_a_restart(node):
    """As a zone of the same name that counts by something else."""
    node.shell(f"sed -i 's/zone $caller zone=connections/zone $server_name zone=connections/' {CARRIED}")
    said = node.shell(f"cd {BROUGHT} && ./install.sh --wheels wheels", timeout=600)
    assert "* restart nginx, which could not take this over while it ran" in said
    assert "[emerg]" in node.shell(f"cat {ERRORS}")
    assert "$server_name zone=connections" in node.shell(f"cat {SITE}")
    node.shell("nginx -t && systemctl reload nginx")
    assert node.shell(f"grep --count emerg {ERRORS}") == "1\n"
