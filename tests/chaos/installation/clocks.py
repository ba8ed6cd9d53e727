"""A node whose clock can be turned while it runs: its programs ask a library of ours for the time of day.

The machines share one clock, which nobody may turn; and libfaketime, which is made for this, breaks waiting where the
clocks that only count on are left alone.
"""

from pathlib import Path
from typing import Final

from tests.chaos.installation.nodes import UNITS
from tests.machines.machine import Machine

# What a machine needs to build it.
PACKAGES: Final = ("gcc", "libc6-dev")
LIBRARY: Final = "/usr/local/lib/turned-clock.so"
SOURCE: Final = "/usr/local/src/clock.c"
OFFSET: Final = "/etc/countersign/clock"
RIGHT: Final = 0
DROP_IN: Final = f"[Service]\nEnvironment=LD_PRELOAD={LIBRARY}\n"


def make_turnable(machine: Machine) -> None:
    """From the next start of its units on."""
    turn(machine, RIGHT)
    machine.copy(Path(__file__).with_name("clock.c"), SOURCE)
    machine.run("cc", "-O2", "-Wall", "-shared", "-fPIC", f'-DCLOCK="{OFFSET}"', "-o", LIBRARY, SOURCE)
    for unit in UNITS:
        machine.put(f"/etc/systemd/system/{unit}.service.d/clock.conf", DROP_IN)
    machine.run("systemctl", "daemon-reload")


def turn(machine: Machine, seconds: int) -> None:
    """So many seconds ahead of the right time, or behind it, within a second."""
    machine.put(OFFSET, f"{seconds}\n")
