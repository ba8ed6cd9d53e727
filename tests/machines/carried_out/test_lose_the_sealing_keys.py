"""No node has the sealing keys any more: what is lost, and how it goes on, as the runbook has it."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import IO

import pytest

from tests.machines import installation, runbooks
from tests.machines.carried_out import hands
from tests.machines.installation import PACKAGES
from tests.machines.machine import machines
from tests.operating.runbooks.installed import blocks
from tests.serving import ROOT, surroundings

pytestmark = pytest.mark.drill

NAME = "lose-the-sealing-keys"


@pytest.fixture(scope="module")
def portal(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("machines")
    with (
        machines(network, folder, ["node"], (*PACKAGES, "age")) as (node,),
        hands.installed(network, node, tmp_path_factory.mktemp("portal")) as portal,
    ):
        portal.until_ready()
        yield portal


@dataclass
class Browser:
    """The Owner's, in which there is a passkey."""

    asked: IO[str]
    said: IO[str]

    def comes_in(self) -> tuple[str, str]:
        """By the passkey, and says the bot's new key and its secret."""
        self.asked.write("go on\n")
        self.asked.flush()
        public, secret = json.loads(self.said.readline())
        return public, secret


@pytest.fixture
def browser(portal, network):
    """One that has made a passkey while all was well."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        pytest.skip("Chromium is not installed")
    told = {
        "url": portal.visitor.url, "email": portal.owner.email, "password": portal.owner.password,
        "secret": portal.owner.secret, "bot": "treasury-bot",
    }  # fmt: skip
    process = subprocess.Popen(
        [*network.inside, sys.executable, "-m", "tests.machines.carried_out.owner"], cwd=ROOT,
        env=surroundings() | {"CHROMIUM": chromium}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(told) + "\n")
    process.stdin.flush()
    try:
        assert process.stdout.readline() == "made\n"
        yield Browser(process.stdin, process.stdout)
    finally:
        process.stdin.close()
        process.wait(60)
        process.stdout.close()


def test_a_portal_goes_on_under_a_new_key(portal, browser):
    node, visitor, steps = portal.node, portal.visitor, runbooks.steps(NAME)
    assert {number: len(found) for number, found in steps.items()} == {2: 1, 3: 1, 7: 2}
    assert len(blocks(f"{NAME}.md")) == 5
    key = installation.make_key(node, portal.owner)
    node.shell("age-keygen -o backup-key 2>&1")
    # Backups were set up, long before.
    node.shell("echo PORTAL_BACKUP_RECIPIENT=$(age-keygen -y backup-key) >>/etc/countersign/environment")
    node.shell("countersign verifyaudit >kept.txt")
    assert visitor.call(*key, "Balance")["error"] == []
    before = node.shell("grep '^PORTAL_SEALING_KEYS=' /etc/countersign/environment")

    # The file has lost it, and what runs has not.
    node.shell("sed -i '/^PORTAL_SEALING_KEYS=/d' /etc/countersign/environment")
    assert node.shell(blocks(f"{NAME}.md")[0]) == before
    node.shell(steps[2][0])
    assert '"sealing": "ok"' in portal.until_ready()
    assert visitor.call(*key, "Balance")["error"] == ["EGeneral:Internal error"]
    assert node.run("countersign", "verifyaudit", check=False).returncode == 1
    said = node.run("bash", "-c", steps[7][0], check=False)
    assert said.returncode == 1
    assert "accounts_authenticator.sealed_seed: 1 left" in said.stdout

    # 3 to 5, by the passkey.
    public, secret = browser.comes_in()
    assert visitor.call(public, secret, "Balance")["error"] == []
    # 7: of the bot's two keys the old one is left, which is over; the app is gone.
    said = node.run("bash", "-c", steps[7][0], check=False)
    assert "accounts_apikey.sealed_secret: 1 left" in said.stdout
    assert "accounts_authenticator.sealed_seed: 0 left" in said.stdout
    assert re.search(r"\.age\b", node.shell(steps[7][1], timeout=200))


def test_an_owner_who_has_nothing_left_is_announced(portal):
    """What is run once now; and once in 48 hours, which nobody waits for here."""
    (block,) = runbooks.steps(NAME)[3]
    said = portal.node.shell(block.replace("owner@example.com", portal.owner.email))
    assert re.search(r"^Run this again after .* UTC, unless a member cancels it\.$", said, re.MULTILINE)
