"""Backups on an installation: the runbooks are carried out as they stand, from a first backup to a restore for good."""

import re
import textwrap

import pytest

from tests.machines import installation
from tests.machines.machine import machines
from tests.operating.wheels import ROOT

pytestmark = pytest.mark.drill

RUNBOOKS = ROOT / "docs/runbooks"


@pytest.fixture(scope="module")
def machine(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("backups")
    with machines(network, folder, ["keeper"], (*installation.PACKAGES, "age")) as (keeper,):
        installation.install(keeper, installation.release(tmp_path_factory.mktemp("release")))
        yield keeper


def steps(name: str) -> str:
    """The commands of a runbook's steps, as one script: what one sets the next one has."""
    found = re.findall(r"^ *```sh\n(.*?)^ *```$", (RUNBOOKS / name).read_text(), re.MULTILINE | re.DOTALL)
    assert found
    return "\n".join(map(textwrap.dedent, found))


def test_the_runbooks_are_carried_out_as_they_stand(machine):
    machine.shell("age-keygen -o /root/countersign-backup.key")
    said = machine.shell(
        "OFFLINE_KEY=$(age-keygen -y /root/countersign-backup.key)\n" + steps("back-up.md"), timeout=300
    )
    assert "The drill passed: " in said
    for unit in ("backup", "drill"):
        assert machine.shell(f"systemctl is-enabled countersign-{unit}.timer").strip() == "enabled"
        # As the timers start them, with all that systemd keeps from them.
        machine.run("systemctl", "start", f"countersign-{unit}.service", timeout=300)
    before = machine.shell("countersign verifyaudit")
    given = "BACKUP=$(ls /var/backups/countersign/*.age | tail -n 1)\nKEY=/root/countersign-backup.key\n"
    said = machine.shell(given + steps("restore.md"), timeout=300)
    assert "The ledger agrees with itself." in said
    machine.shell("curl --silent --fail --retry 60 --retry-delay 1 --retry-all-errors http://127.0.0.1:8000/readyz")
    assert machine.shell("countersign verifyaudit").count("\n") == before.count("\n")
