"""Each key, password and certificate of a node exchanged as the runbook has it, while its bot goes on."""

import re

import pytest

from tests.machines import installation, runbooks
from tests.machines.carried_out import hands
from tests.machines.carried_out.hands import Portal
from tests.machines.installation import PACKAGES
from tests.machines.machine import Machine, machines
from tests.operating.runbooks.installed import blocks

pytestmark = pytest.mark.drill

ROTATE = "rotate-keys.md"
BOT = "/service-users/treasury-bot/"


@pytest.fixture(scope="module")
def portal(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("machines")
    with (
        machines(network, folder, ["node"], (*PACKAGES, "age")) as (node,),
        hands.installed(network, node, tmp_path_factory.mktemp("portal")) as portal,
    ):
        yield portal


@pytest.fixture(scope="module")
def key(portal):
    return installation.make_key(portal.node, portal.owner)


@pytest.fixture(autouse=True)
def goes_on(portal, key):
    """Whatever was exchanged, the node is well afterwards and its bot is answered with the key that it had."""
    yield
    said = portal.until_ready()
    assert '"sealing": "ok"' in said
    assert '"database": "ok"' in said
    assert portal.visitor.call(*key, "Balance")["error"] == []


def values(node: Machine) -> dict[str, str]:
    """The settings that are exchanged."""
    files = node.shell("cat /etc/countersign/environment /etc/countersign/owner")
    return dict(re.findall(r"^([A-Z_]+)=(.+)$", files, re.MULTILINE))


def test_sealing_keys(portal):
    before = values(portal.node)["PORTAL_SEALING_KEYS"]
    for block in blocks(ROTATE, "Sealing keys"):
        portal.node.shell(block)
        portal.until_ready()
    after = values(portal.node)["PORTAL_SEALING_KEYS"]
    assert re.fullmatch(rf"k\d{{14}}:[^,]+,{re.escape(before)}", after)
    portal.node.run("countersign", "verifyaudit")


def test_the_secret_key_ends_every_session(portal):
    cookies = portal.signed_in()
    assert portal.visitor.get("/history/", cookies)[0] == 200
    (block,) = blocks(ROTATE, "The secret key")
    portal.node.shell(block)
    portal.until_ready()
    status, _, place = portal.visitor.get("/history/", cookies)
    assert (status, place.partition("?")[0]) == (302, "/sign-in/")


def test_passwords_of_roles(portal):
    node = portal.node
    before = node.shell("cat /etc/countersign/owner"), values(node)["DATABASE_URL"]
    for block in blocks(ROTATE, "Passwords of the database's roles"):
        node.shell(block)
    portal.until_ready()
    assert node.shell("cat /etc/countersign/owner") != before[0]
    node.run("countersign", "migrate", "--check")
    served = node.shell("sed -n s/^DATABASE_URL=//p /etc/countersign/environment").strip()
    refused = node.run("psql", before[0].partition("=")[2].strip(), "-c", "SELECT 1", check=False)
    assert "password authentication failed" in refused.stderr
    assert node.run("psql", served, "-Atc", "SELECT current_user").stdout == "countersign_web\n"
    doctor = node.run("countersign", "doctor", check=False).stdout
    assert re.search(r"^ok +database role", doctor, re.MULTILINE)


def test_a_bots_key_with_an_overlap(portal, key):
    cookies, visitor = portal.signed_in(), portal.visitor
    old = installation.make_key(portal.node, portal.owner, "second-bot")
    page = BOT.replace("treasury", "second")
    visitor.submit(f"{page}rotate/", cookies, overlap_days="2", expires_at="", acknowledged="on")
    new = reveal(portal, page, cookies)
    assert [visitor.call(*each, "Balance")["error"] for each in (old, new)] == [[], []]
    (end,) = re.findall(rf'href="({page}keys/[^"]+/end/)"', visitor.get(page, cookies)[1])
    visitor.submit(end, cookies, reason="It was exchanged")
    assert [visitor.call(*each, "Balance")["error"] for each in (old, new)] == [["EAPI:Invalid key"], []]


def reveal(portal: Portal, page: str, cookies: dict[str, str]) -> tuple[str, str]:
    """The new key and its secret, from the one page that shows them."""
    (where,) = re.findall(rf'action="({page}keys/[^"]+/reveal/)#reveal"', portal.visitor.get(page, cookies)[1])
    shown = portal.visitor.submit(page, cookies, action=where)[1]
    parts = re.findall(r"<code translate.*?</code>", shown, re.DOTALL)
    public, secret = ("".join(re.findall(r"<span>([^<]+)</span>", part)) for part in parts)
    return public, secret


def test_the_certificate(portal):
    """Renewed where it lies, under the key that callers trust here."""
    node, tls = portal.node, "/etc/countersign/tls"
    node.shell(
        f"openssl x509 -in {tls}/certificate.pem -signkey {tls}/key.pem -days 60 -set_serial 77 -out {tls}/new.pem 2>&1"
        f" && mv {tls}/new.pem {tls}/certificate.pem"
    )
    (block,) = blocks(ROTATE, "The certificate")
    node.shell(block)
    asked = "openssl s_client -connect 127.0.0.1:443 </dev/null 2>/dev/null | openssl x509 -noout -serial"
    assert node.shell(f"until [[ $({asked}) == serial=4D ]]; do sleep 0.2; done; {asked}") == "serial=4D\n"
    portal.visitor.certificate.write_text(node.shell(f"cat {tls}/certificate.pem"))


def test_the_key_of_backups(portal):
    node = portal.node
    node.shell("umask 077; age-keygen -o new-backup-key && age-keygen -y new-backup-key >new-backup-key.pub")
    (block,) = blocks(ROTATE, "The key of backups")
    node.shell(block)
    node.shell("systemctl start countersign-backup.service", timeout=200)
    opened = "age --decrypt --identity new-backup-key /var/backups/countersign/*.age | wc --bytes"
    assert int(node.shell(opened)) > 1000


def test_all_of_it_was_carried_out():
    parts = ("Sealing keys", "The secret key", "Passwords of the database's roles", "The certificate",
             "The key of backups")  # fmt: skip
    assert sum(len(blocks(ROTATE, part)) for part in parts) == len(blocks(ROTATE))
    assert runbooks.steps("rotate-keys").keys() == {1, 2, 3, 4}
