"""One command makes a node of a fresh Debian, and what it makes stays up: tried as an operator, a member and a bot."""

import re
import time

import pytest

from tests.machines import installation, networks
from tests.machines.installation import DOMAIN, PACKAGES
from tests.machines.installing.stopping import KILLED, OPTIONS, installed_until
from tests.machines.machine import machines
from tests.machines.visitor import Visitor
from tests.operating import wheels
from tests.operating.wheels import ROOT

UNITS = ("countersign-web", "countersign-stream", "countersign-work")
SECONDS = 60
# What is where, when it was written, and which processes run since when: nothing of it moves while nothing is changed.
STATE = """
find /etc /opt /usr/local /var/lib -not -type d -not -path '/var/lib/postgresql/*' -not -path '/var/lib/redis/*' \
    -not -path '*/__pycache__/*' -printf '%p %m %u:%g %T@ %l\\n' | sort
for unit in countersign-web countersign-stream countersign-work nginx postgresql redis-server systemd-journald; do
    systemctl show --property Id,MainPID,ActiveEnterTimestampMonotonic "$unit" 2>/dev/null
done
"""


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return installation.release(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def machine(network, tmp_path_factory):
    with machines(network, tmp_path_factory.mktemp("machines"), ["node"], PACKAGES) as (machine,):
        yield machine


@pytest.fixture(scope="module")
def said(machine, release):
    """What the installer printed of a dry run and of the true one; the state of the machine around the first."""
    installation.bring(machine, release)
    before = machine.shell(STATE)
    dry = installation.install(machine, release, "--dry-run").stdout
    after = machine.shell(STATE)
    return {"before": before, "dry": dry, "after": after, "true": installation.install(machine, release).stdout}


@pytest.fixture(scope="module")
def node(machine, said):
    return machine


@pytest.fixture(scope="module")
def owner(node):
    return installation.found(node)


@pytest.fixture(scope="module")
def visitor(node, network, tmp_path_factory):
    certificate = tmp_path_factory.mktemp("trusted") / "certificate.pem"
    certificate.write_text(node.shell("cat /etc/countersign/tls/certificate.pem"))
    with networks.named(network, {DOMAIN: node.address}):
        yield Visitor(network, f"https://{DOMAIN}", certificate)


@pytest.fixture(scope="module")
def cookies(visitor, owner):
    return visitor.sign_in(owner.email, owner.password, owner.secret)


@pytest.fixture(scope="module")
def key(node, owner):
    return installation.make_key(node, owner)


def processes(node):
    return {unit: node.run("systemctl", "show", "-P", "MainPID", unit).stdout.strip() for unit in UNITS}


# As a browser on the machine would ask, by the portal's name.
CURL = f"curl -sk -o /dev/null --resolve {DOMAIN}:443:127.0.0.1"


def until_ready(node):
    """Pages and sockets are served, by whatever release `current` leads to."""
    for port in (8000, 8001):
        until = time.monotonic() + SECONDS
        while node.run("curl", "-sf", f"http://127.0.0.1:{port}/readyz", check=False).returncode:
            assert time.monotonic() < until, node.shell("journalctl --no-pager -n 50 -u 'countersign-*'")
            time.sleep(0.2)


def test_a_dry_run_says_what_it_would_do_and_does_nothing(said):
    assert said["before"] == said["after"]
    would = re.findall(r"^would (.+)$", said["dry"], re.MULTILINE)
    did = re.findall(r"^\* (.+)$", said["true"], re.MULTILINE)
    # Only what has to be there to be looked into is told in fewer words.
    assert set(would) - set(did) == set()
    assert set(did) - set(would) == {
        "make the roles and the database countersign",
        "let countersign_web do what serving needs",
    }


def test_it_ends_by_saying_what_comes_next(said):
    assert f"runs at https://{DOMAIN}." in said["true"]
    assert "countersign createorganization --name" in said["true"]


def test_run_again_it_changes_nothing(node):
    before = node.shell(STATE)
    again = installation.run_installer(node).stdout
    assert again.strip().startswith("Nothing was changed: Countersign")
    assert node.shell(STATE) == before


def test_its_owner_signs_in_through_the_proxy(visitor, cookies):
    status, body, _ = visitor.get("/history/", cookies)
    assert status == 200
    assert "Example Ltd" in body
    (sheet, *_) = re.findall(r'<link[^>]+href="(/static/[^"]+\.css)"', body)
    assert visitor.get(sheet)[0] == 200


def test_a_bot_is_answered_through_the_proxy(visitor, key):
    assert visitor.call(*key, "Balance") == {"error": [], "result": {}}
    assert visitor.call(key[0], key[1][:-4] + "AAA=", "Balance") == {"error": ["EAPI:Invalid signature"]}


def test_the_proxy_leads_people_to_tls_and_refuses_a_bot_that_speaks_plainly(visitor, key, node):
    plain = f"http://{DOMAIN}"
    assert visitor.get("/sign-in/", url=plain)[::2] == (301, f"https://{DOMAIN}/sign-in/")
    _, body, place = visitor.get("/0/public/Time", url=plain)
    assert (place, "result" in body) == ("", False)
    assert visitor.get("/0/public/Time")[0] == 200
    # HTTP/2 with those who ask for it, as browsers do.
    spoken = node.shell(
        f"curl -sk -o /dev/null -w '%{{http_version}}' --resolve {DOMAIN}:443:127.0.0.1 https://{DOMAIN}/"
    )
    assert spoken == "2"


def test_nobody_founds_an_organization_from_outside(visitor):
    assert visitor.get("/setup/")[0] == 403


def test_who_tries_sign_ins_is_told_to_wait(node):
    """The proxy alone answers them; everybody else is served as before."""
    told = node.shell(f"{CURL} -w '%{{http_code}}\\n' https://{DOMAIN}/password/forgotten/?[1-40]").split()
    assert "429" in told
    assert set(told) <= {"200", "429"}
    assert node.shell(f"{CURL} -w '%{{http_code}}' https://{DOMAIN}/healthz") == "200"


def test_while_nothing_answers_behind_the_proxy_it_says_so_itself(node, visitor, cookies, key):
    """To people by a page, to bots in their protocol."""
    node.shell("systemctl stop countersign-web")
    try:
        status, page, _ = visitor.get("/history/", cookies)
        assert (status, "It does not answer just now" in page) == (502, True)
        assert visitor.call(*key, "Balance") == {"error": ["EService:Unavailable"]}
        # Nobody asks for the page itself.
        assert visitor.get("/not-now.html")[0] == 404
    finally:
        node.shell("systemctl start countersign-web")
        until_ready(node)


def test_sockets_have_a_server_of_their_own(node):
    asked = (
        f"{CURL} --http1.1 -m 2 -w '%{{http_code}}' -H 'Connection: Upgrade' -H 'Upgrade: websocket' "
        f"-H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==' https://{DOMAIN}/v2 || true"
    )
    assert node.shell(asked) == "101"


def test_whoever_serves_can_neither_rewrite_the_history_nor_read_who_can(node):
    """security AU-3: the role of the nodes owns nothing, and the owner's address is root's."""
    node.run("countersign", "check", "--deploy", "--database", "default", "--fail-level", "WARNING")
    assert node.run("cat", "/etc/countersign/owner", user="countersign", check=False).returncode != 0
    assert node.run("cat", "/etc/countersign/environment", user="nobody", check=False).returncode != 0
    refused = node.run("countersign", "migrate", "--check", user="nobody", check=False)
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == ["countersign: run it as root: sudo countersign migrate"]


@pytest.mark.parametrize("unit", [*UNITS, "countersign-backup", "countersign-drill"])
def test_a_unit_may_do_little(node, unit):
    said = node.run("systemd-analyze", "security", "--no-pager", f"{unit}.service").stdout.splitlines()[-1]
    exposure = re.search(r"level for \S+: ([0-9.]+) ", said)
    assert exposure is not None
    assert float(exposure[1]) <= 1.5


def test_whatever_is_killed_comes_back(node):
    until_ready(node)
    before = processes(node)
    for pid in before.values():
        node.run("kill", "-9", pid)
    until = time.monotonic() + SECONDS
    while any(pid in {"0", before[unit]} for unit, pid in processes(node).items()):
        assert time.monotonic() < until
        time.sleep(0.2)
    until_ready(node)
    assert {unit: node.run("systemctl", "is-active", unit).stdout.strip() for unit in UNITS} == dict.fromkeys(
        UNITS, "active"
    )


def test_after_a_restart_of_the_machine_all_is_up_again(node, visitor, cookies, key):
    node.kill()
    node.start()
    until_ready(node)
    assert visitor.get("/history/", cookies)[0] == 200
    assert visitor.call(*key, "Balance")["error"] == []
    assert node.run("systemctl", "--failed", "--no-legend", "--plain").stdout == ""


def test_what_somebody_changed_is_left_alone(node):
    site = "/etc/nginx/sites-available/countersign.conf"
    before = node.shell(f"cat {site}")
    try:
        # As behind a balancer that says whose each connection is.
        node.shell(
            f"sed -i 's/burst=20/burst=40/; s/\\(443 ssl http2\\);/\\1 proxy_protocol;/' {site}; nginx -s reload"
        )
        left = installation.run_installer(node).stdout
        assert re.findall(r"^\* (.+)$", left, re.MULTILINE) == [
            f"leave {site}, which was changed here, and write {site}.new beside it"
        ]
        assert "burst=40" in node.shell(f"cat {site}")
        assert "burst=20" in node.shell(f"cat {site}.new")
        assert "Nothing was changed" in installation.run_installer(node).stdout
    finally:
        node.put(site, before)
        node.shell(f"rm -f {site}.new; nginx -s reload")


# What lies on a machine before the first release is switched on, and nothing of what comes after.
AS_BEFORE_THE_SWITCH = """
systemctl stop countersign-web countersign-stream countersign-work nginx
systemctl disable countersign-web countersign-stream countersign-work nginx 2>/dev/null
rm -r /opt/countersign/current /usr/local/bin/countersign /etc/systemd/system/nginx.service.d
rm -r /etc/systemd/system/countersign-* /etc/nginx/sites-*/countersign.conf
systemctl daemon-reload
"""


def test_killed_after_the_release_was_switched_on_it_goes_on_when_it_is_run_again(node, said):
    node.shell(AS_BEFORE_THE_SWITCH)
    for place in ("quietly systemctl daemon-reload", 'mv -T "$2.unfinished" "$2"', "quietly systemctl restart nginx"):
        status, _ = installed_until(node, *OPTIONS, before=place)
        assert status == KILLED
    assert "createorganization" in installation.run_installer(node).stdout
    until_ready(node)
    assert node.shell(f"{CURL} -w '%{{http_code}}' https://{DOMAIN}/readyz") == "200"
    assert node.shell("systemctl show -P LimitNOFILE nginx").strip() == "32768"
    for unit in (*UNITS, "nginx"):
        assert node.run("systemctl", "is-enabled", unit).stdout.strip() == "enabled"
    assert installation.run_installer(node).stdout.strip().startswith("Nothing was changed")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--domain", "other.example.test"), "--domain: /etc/countersign/environment says something else"),
        (("--mail-url", "smtp://secret-of-mail@elsewhere"), "--mail-url: /etc/countersign/environment says"),
        (("--release", "9.9.9"), "9.9.9 is not one of: "),
        (("--wheel", "/etc/hostname"), "/etc/hostname is no wheel of Countersign"),
        (("--domain",), "--domain: a value is missing"),
        (("--nonsense", "x"), "--nonsense: what is that?"),
        (("--environment", "/etc/hosts"), "/etc/countersign/environment is there already and differs"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(node, options, words):
    before = node.shell(STATE)
    refused = installation.run_installer(node, *options, check=False)
    assert refused.returncode == 1
    assert refused.stdout == ""
    (line,) = refused.stderr.splitlines()
    assert line.startswith(f"install.sh: {words}")
    assert "secret-of-mail" not in line
    assert node.shell(STATE) == before


def test_a_newer_release_is_taken_and_given_back(node, release, tmp_path, visitor, cookies):
    newer = wheels.as_version(release.wheel, tmp_path, "99.0")
    node.copy(newer, f"/root/countersign/{newer.name}")
    environment = node.shell("cat /etc/countersign/environment")
    try:
        taken = installation.run_installer(node).stdout
        assert "* migrate the database" in taken
        assert [line for line in taken.splitlines() if "restart" in line] == [f"* restart {unit}" for unit in UNITS]
        assert '"version": "99.0"' in node.shell("curl -s http://127.0.0.1:8000/readyz")
        assert visitor.get("/history/", cookies)[0] == 200
    finally:
        node.run("rm", f"/root/countersign/{newer.name}")
        given_back = installation.run_installer(node, "--release", release.version).stdout
    assert "migrate" not in given_back
    assert f'"version": "{release.version}"' in node.shell("curl -s http://127.0.0.1:8000/readyz")
    assert visitor.get("/history/", cookies)[0] == 200
    assert node.shell("cat /etc/countersign/environment") == environment
    assert node.shell("ls /opt/countersign/releases").split() == sorted([release.version, "99.0"])


def test_nothing_secret_is_told_and_nothing_breaks(node, said, cookies, key):
    """Of all that was said here until now: by the installer, the units, nginx and PostgreSQL."""
    files = node.shell("cat /etc/countersign/environment /etc/countersign/owner")
    values = dict(re.findall(r"^([A-Z_]+)=(.+)$", files, re.MULTILINE))
    passwords = re.findall(r"://[^:/\s]+:([^@\s]+)@", files)
    secrets = {values["PORTAL_SECRET_KEY"], values["PORTAL_SEALING_KEYS"].partition(":")[2], *passwords, key[1]}
    assert len(secrets) == 5
    journal = node.shell("journalctl --no-pager -o cat")
    told = said["dry"] + said["true"] + journal
    told += node.shell("cat /var/log/countersign-install.log /var/log/nginx/*.log /var/log/postgresql/*.log")
    assert [secret[:4] for secret in secrets if secret in told] == []
    assert "Traceback" not in journal


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("systemd/countersign-web.service", "/etc/systemd/system/countersign-web.service"),
        ("systemd/countersign-backup.timer", "/etc/systemd/system/countersign-backup.timer"),
        (
            "systemd/countersign-.service.d/hardened.conf",
            "/etc/systemd/system/countersign-.service.d/hardened.conf",
        ),
        ("nginx/limits.conf", "/etc/systemd/system/nginx.service.d/countersign.conf"),
        ("postgresql/countersign.conf", "/etc/postgresql/15/main/conf.d/countersign.conf"),
        ("journald/countersign.conf", "/etc/systemd/journald.conf.d/countersign.conf"),
        ("countersign", "/usr/local/bin/countersign"),
    ],
)
def test_what_is_installed_is_what_the_repository_shows(node, source, place):
    assert node.shell(f"cat {place}") == (ROOT / "deploy" / source).read_text()
