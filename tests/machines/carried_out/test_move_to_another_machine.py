"""A portal installed from its first command and moved onto a machine with nothing on it, as two runbooks have it."""

import re
from collections.abc import Mapping
from typing import Final

import pytest

from tests.machines import installation, networks, runbooks
from tests.machines.carried_out.hands import Portal
from tests.machines.installation import BROUGHT, DOMAIN, PACKAGES, Person
from tests.machines.machine import Machine, machines
from tests.machines.visitor import Visitor

pytestmark = pytest.mark.drill

OWN: Final = "/etc/ssl/own"
OWN_CERTIFICATE: Final = f"--certificate {OWN}/certificate.pem --certificate-key {OWN}/key.pem"
# The names of the runbooks, and what they leave to the reader: no index is reached here, and a certificate is at hand.
AS_HERE: Final = {
    "portal.example.com": DOMAIN,
    "olive@example.com": "olive@example.test",
    "./install.sh": f"./install.sh --wheels wheels {OWN_CERTIFICATE}",
}
PASSWORD: Final = "a long walk by the harbour"
CERTIFICATE: Final = f"""
umask 077
mkdir -p {OWN}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN={DOMAIN} \\
    -addext subjectAltName=DNS:{DOMAIN} -keyout {OWN}/key.pem -out {OWN}/certificate.pem 2>/dev/null
"""
INSTALLED_WITHIN: Final = 600
HEADS: Final = re.compile(r"^organization-\d+ \d+ [0-9a-f]{64}", re.MULTILINE)


@pytest.fixture(scope="module")
def both(network, tmp_path_factory):
    release = installation.release(tmp_path_factory.mktemp("release"))
    with machines(network, tmp_path_factory.mktemp("machines"), ["old", "new"], PACKAGES) as both:
        for machine in both:
            installation.bring(machine, release)
        both[0].shell(CERTIFICATE)
        yield both


@pytest.fixture(scope="module")
def certificate(both, tmp_path_factory):
    path = tmp_path_factory.mktemp("trusted") / "certificate.pem"
    path.write_text(both[0].shell(f"cat {OWN}/certificate.pem"))
    return path


def carry_out(machine: Machine, block: str, as_here: Mapping[str, str] = AS_HERE) -> str:
    """In the folder of the release; what it prints."""
    for there, here in as_here.items():
        block = block.replace(there, here)
    return machine.shell(f"cd {BROUGHT}\n{block}", timeout=INSTALLED_WITHIN)


def bring(source: Machine, machine: Machine, *paths: str) -> None:
    """As `scp -p` does."""
    for path in paths:
        with (source.root / path.lstrip("/")).open("rb") as file:
            machine.put(path, file.read(), mode=0o600)


def installed(machine: Machine) -> Person:
    """By the commands of install.md, from the third step on: the release lies there."""
    steps = runbooks.steps("install")
    assert {number: len(blocks) for number, blocks in steps.items()} == {1: 1, 3: 1, 4: 1, 5: 1, 6: 1, 7: 1}
    machine.put(f"{BROUGHT}/mail-url", "dummymail://\n", mode=0o600)
    would = carry_out(machine, steps[3][0])
    assert "would " in would
    assert f"runs at https://{DOMAIN}." in carry_out(machine, steps[4][0])
    assert re.fullmatch(r"PORTAL_SEALING_KEYS=\w+:\S+\n", carry_out(machine, steps[5][0]))
    # It would ask somebody at a terminal.
    said = carry_out(machine, f"{steps[6][0].rstrip()} --password-stdin <<< '{PASSWORD}'")
    (secret,) = re.findall(r"^  secret  ([A-Z2-7 ]+)$", said, re.MULTILINE)
    assert carry_out(machine, "./install.sh").startswith("\nNothing was changed")
    carry_out(machine, steps[7][0])
    return Person("olive@example.test", PASSWORD, secret.replace(" ", ""))


def test_a_portal_is_installed_and_moved_and_nobody_notices(both, network, certificate):
    old, new = both
    owner = installed(old)
    key = installation.make_key(old, owner)
    with networks.named(network, {DOMAIN: old.address}):
        before = Portal(old, owner, Visitor(network, f"https://{DOMAIN}", certificate))
        before.until_ready()
        cookies = before.signed_in()
        assert before.visitor.call(*key, "Balance")["error"] == []

    moved(old, new)

    with networks.named(network, {DOMAIN: new.address}):
        after = Portal(new, owner, Visitor(network, f"https://{DOMAIN}", certificate))
        after.until_ready()
        # Whoever was signed in still is, and a bot goes on with its key and its nonces.
        assert after.visitor.get("/history/", cookies)[0] == 200
        assert after.visitor.call(*key, "Balance")["error"] == []
        new.run("countersign", "doctor")
    with networks.named(network, {DOMAIN: old.address}):
        # Whose DNS is old.
        assert before.visitor.get("/history/", cookies)[0] == 502


def moved(old: Machine, new: Machine) -> None:
    """All seven steps, each on the machine that it names."""
    steps = runbooks.steps("move-to-another-machine")
    assert {number: len(blocks) for number, blocks in steps.items()} == dict.fromkeys((1, 2, 3, 4, 5, 6), 1)
    carry_out(old, steps[1][0])
    bring(old, new, f"{BROUGHT}/settings.tar.gz", f"{OWN}/certificate.pem", f"{OWN}/key.pem")
    carry_out(new, steps[2][0])
    carry_out(old, steps[3][0])
    bring(old, new, f"{BROUGHT}/countersign.dump", f"{BROUGHT}/history.txt")
    carry_out(new, steps[4][0])
    said = carry_out(new, steps[5][0])
    heads = HEADS.findall(old.shell(f"cat {BROUGHT}/history.txt"))
    assert heads
    assert HEADS.findall(said) == heads
    assert "Nothing was changed" in carry_out(new, steps[6][0])
    carry_out(new, "rm settings.tar.gz environment owner countersign.dump")
    carry_out(old, "rm settings.tar.gz countersign.dump")
