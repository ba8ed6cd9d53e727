"""What the doctor says of a node that `install.sh` has just made, and of the same node once it is ill."""

import json

import pytest

from tests.machines import installation
from tests.machines.installation import DOMAIN, PACKAGES
from tests.machines.machine import machines

# Where the portal's own user may read it.
TRUSTED = "/usr/local/share/countersign.pem"


@pytest.fixture(scope="module")
def node(network, tmp_path_factory):
    release = installation.release(tmp_path_factory.mktemp("release"))
    with machines(network, tmp_path_factory.mktemp("machines"), ["node"], PACKAGES) as (machine,):
        installation.install(machine, release)
        machine.shell(
            f"echo 127.0.0.1 {DOMAIN} >>/etc/hosts; install -m 644 /etc/countersign/tls/certificate.pem {TRUSTED}"
        )
        yield machine


def asked(node, *options):
    """What the doctor finds there, seen from outside as well, by subject and level."""
    given = ("--url", f"https://{DOMAIN}", "--authority", TRUSTED)
    done = node.run("countersign", "doctor", "--json", *given, *options, check=False)
    said = json.loads(done.stdout)
    assert done.returncode == (0 if said["well"] else 1), done.stderr
    found: dict[str, dict[str, list[str]]] = {}
    for each in said["findings"]:
        found.setdefault(each["level"], {}).setdefault(each["subject"], []).append(each["found"])
    return found


@pytest.fixture(scope="module")
def well(node):
    node.shell(
        "until curl -sf http://127.0.0.1:8000/readyz && curl -sf http://127.0.0.1:8001/readyz; do sleep 0.2; done\n"
        # Its tasks come up one after the other, once it serves; and each process says for five seconds what it found.
        """until curl -sf http://127.0.0.1:8000/readyz | grep -q '"duties": "ok"'; do sleep 0.2; done; sleep 6"""
    )
    return asked(node)


@pytest.fixture(scope="module")
def ill(node, well):
    """The same node with one fault after the other."""
    node.shell(
        "sed -i s/^PORTAL_TRUSTED_PROXIES=.*/PORTAL_TRUSTED_PROXIES=10.9.9.9/ /etc/countersign/environment\n"
        "chmod 644 /etc/countersign/environment\n"
        "systemctl stop countersign-stream countersign-work redis-server postgresql\n"
        "systemctl restart countersign-web\n"
        "until curl -sf http://127.0.0.1:8000/healthz; do sleep 0.2; done"
    )
    return asked(node)


def test_a_node_that_was_just_made_is_well(well):
    """What only warns: mail goes nowhere there, nobody has made a backup, and a container has no clock of its own."""
    assert "wrong" not in well, well["wrong"]
    assert "ready" not in well["warn"], well["warn"]["ready"]
    # A machine on which much else runs takes long to answer, and is told so.
    assert set(well["warn"]) - {"database", "redis"} == {"settings", "backup", "restore drill", "clock"}, well["warn"]
    assert well["ok"]["proxy"] == ["127.0.0.1 counts as a proxy; callers as themselves (127.0.0.1)"]
    assert {"certificate", "ready", "pages", "bots", "sockets", "plain http", "database role"} <= set(well["ok"])
    assert [line for line in well["ok"]["open files"] if line.startswith("countersign-stream: 16384")]


def test_each_thing_that_is_ill_is_named_though_others_are_too(node, ill):
    """The database is away, and the rest is looked at all the same."""
    found = ill
    named = {"database", "redis", "environment file", "ready", "sockets", "proxy"}
    assert named <= set(found["wrong"])
    assert "127.0.0.1 is not listed" in " ".join(found["wrong"]["proxy"])
    assert {"settings", "migrations", "periodic tasks"} <= set(found["warn"])
    assert {"certificate", "static files", "versions", "folder"} <= set(found["ok"])
    kept = dict(line.split("=", 1) for line in node.shell("grep = /etc/countersign/environment").splitlines())
    said = str(found)
    assert not [name for name in ("PORTAL_SECRET_KEY", "PORTAL_SEALING_KEYS", "DATABASE_URL") if kept[name] in said]
