"""What began on SQLite goes on in PostgreSQL, on a machine, as it is written down."""

import re

import pytest

from tests.machines import installation, runbooks
from tests.machines.installation import PACKAGES
from tests.machines.machine import machines
from tests.operating import wheels
from tests.release import release as this_release
from tests.serving import ROOT

pytestmark = pytest.mark.drill


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return wheels.built(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def alone(network, tmp_path_factory):
    with machines(network, tmp_path_factory.mktemp("machines"), ["alone"], PACKAGES) as (machine,):
        yield machine


def version(machine) -> str:
    """Of what serves there, once it does."""
    asked = "curl --fail --silent --retry 60 --retry-delay 1 --retry-all-errors http://127.0.0.1:8000/readyz"
    said = machine.shell(asked, timeout=180)
    (found,) = re.findall(r'"version": "([^"]+)"', said)
    assert '"ready": true' in said, said
    return str(found)


def test_what_began_on_sqlite_goes_on_in_postgresql(alone, wheel):
    """The whole runbook on one machine, with a demo that was made by the release itself."""
    machine = alone
    release = installation.Release(wheel, installation.wheelhouse(), ROOT / "deploy/install.sh")
    installation.install(machine, release)
    machine.shell("PORTAL_DEBUG=1 PORTAL_VAR=/root/var /opt/countersign/current/bin/countersign demo --migrate")
    told = ""
    for _, blocks in sorted(runbooks.steps("copy-to-postgresql").items()):
        for block in blocks:
            told += machine.shell(block, timeout=300)
    assert "Copied. Both are the same." in told
    heads = re.findall(r"^organization-\d+ \d+ [0-9a-f]{64} .+$", told, re.MULTILINE)
    # Printed by the copying, and by verifyaudit of the new portal.
    assert len(set(heads)) * 2 == len(heads) == 4
    assert version(machine) == this_release()
