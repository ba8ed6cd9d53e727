"""What tests on machines rely on: they reach each other and nothing else, keep their disk, and can be cut off."""

import pytest

from tests.machines.machine import machines


@pytest.fixture(scope="module")
def pair(network, tmp_path_factory):
    with machines(network, tmp_path_factory.mktemp("machines"), ["first", "second"]) as pair:
        yield pair


def _reached(machine, address):
    """What became of a connection to a port at which nobody listens."""
    done = machine.run("curl", "--silent", "--show-error", "--max-time", "2", f"http://{address}:9", check=False)
    return "refused" if done.returncode == 7 else "silence" if done.returncode == 28 else done.stderr


def test_each_is_a_machine_of_its_own(pair):
    names = [machine.run("hostname").stdout.strip() for machine in pair]
    assert names == ["first", "second"]
    assert pair[0].run("cat", "/etc/machine-id").stdout != pair[1].run("cat", "/etc/machine-id").stdout
    assert pair[0].run("systemctl", "is-system-running", check=False).stdout.strip() == "running"


def test_it_can_be_cut_off_from_another_without_a_word(pair):
    first, second = pair
    assert _reached(first, "second") == "refused"
    first.cut_off(second.address)
    assert _reached(first, "second") == "silence"
    assert _reached(second, "first") == "silence"
    first.join_again()
    assert _reached(first, "second") == "refused"


def test_its_disk_outlives_it(pair):
    first, _ = pair
    first.shell("echo kept > /var/lib/kept && sync")
    first.kill()
    first.start()
    assert first.run("cat", "/var/lib/kept").stdout == "kept\n"
    first.stop()
    first.start()
    assert first.run("cat", "/var/lib/kept").stdout == "kept\n"


def test_a_disk_of_its_own_can_be_full_and_outlives_the_machine(network, tmp_path):
    with machines(network, tmp_path, ["third"], disks={"third": {"/srv/small": 16}}) as (third,):
        full = third.run("dd", "if=/dev/zero", "of=/srv/small/file", "bs=1M", "count=20", check=False)
        assert "No space left on device" in full.stderr
        third.shell("rm /srv/small/file; echo kept > /srv/small/kept; sync")
        third.kill()
        third.start()
        assert third.run("cat", "/srv/small/kept").stdout == "kept\n"
