"""Killed in each place there is, the installer goes on where it was when it is run again, and leaves nothing out."""

import pytest

from tests.machines import installation
from tests.machines.installation import DOMAIN, PACKAGES
from tests.machines.installing.stopping import OPTIONS, installed_until
from tests.machines.machine import machines

pytestmark = pytest.mark.drill


@pytest.fixture
def machine(network, tmp_path):
    with machines(network, tmp_path / "machines", ["node"], PACKAGES) as (machine,):
        yield machine


def test_killed_at_each_change_it_ends_with_a_whole_installation(machine, tmp_path):
    installation.bring(machine, installation.release(tmp_path / "release"))
    change, kills, was_on = 2, 0, False
    before: list[str] = []
    while True:
        status, said = installed_until(machine, *OPTIONS, change=change)
        if status == 0:
            break
        kills += 1
        assert kills < 150, said
        is_on = (machine.root / "opt/countersign/current").is_symlink()
        if is_on and not was_on:
            change = 2
        elif said == before:
            # Until the release is switched on some is done anew by each run, and would be all that is ever done.
            change += 1
        before, was_on = said, is_on
    assert kills > 20
    asked = f"curl -skf --resolve {DOMAIN}:443:127.0.0.1 https://{DOMAIN}/readyz"
    assert '"ready": true' in machine.shell(asked)
    assert "countersign createorganization --name" in "\n".join(said)
    assert installation.run_installer(machine).stdout.strip().startswith("Nothing was changed")
    assert machine.shell("ls -A /etc/countersign").split() == ["environment", "owner", "tls", "written"]
    assert machine.shell("find / -xdev -name '*.unfinished' -not -path '/proc/*'") == ""
    # nginx was there before it: what somebody else may have put there stays.
    assert machine.shell("ls /etc/nginx/sites-enabled").split() == ["countersign.conf", "default"]
