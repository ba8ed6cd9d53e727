"""A driver that is killed leaves no machine behind, nor its disk, nor its network."""

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.machines import networks
from tests.machines.ending.leftovers import clear_wires
from tests.machines.networks import run
from tests.operating.wheels import ROOT

WITHIN = 30


def left(folder, names, leader):
    """What is still there of them."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    there = [*(name for name in names if Path("/run/netns", name).exists()), *(m for m in mounts if str(folder) in m)]
    groups = [str(group) for group in Path("/sys/fs/cgroup").glob(f"*/{names[1]}")]
    return there + groups + [leader] * Path(f"/proc/{leader}").exists()


def test_a_driver_that_is_killed_takes_its_machine_with_it(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-m", "tests.machines.ending.driver", str(tmp_path)],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    ) as driver:  # fmt: skip
        assert driver.stdout is not None
        *names, leader = driver.stdout.readline().split()
        assert len(left(tmp_path, names, leader)) >= 5
        driver.kill()
    until = time.monotonic() + WITHIN
    while found := left(tmp_path, names, leader):
        assert time.monotonic() < until, found
        time.sleep(0.1)


def test_the_network_of_a_driver_that_is_no_more_goes_when_the_next_one_is_laid(network):
    ended = subprocess.Popen(["true"])
    ended.wait()
    theirs = f"wire{ended.pid}"
    run("ip", "netns", "add", theirs)
    clear_wires()
    assert not Path("/run/netns", theirs).exists()
    # Those of drivers that still run stay.
    assert Path("/run/netns", network.name).exists()
    assert network.name == f"wire{os.getpid()}"
    assert networks.run("ip", "netns", "pids", network.name) == ""
