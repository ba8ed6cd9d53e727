"""A node whose clock can be turned while it runs: its programs read the time through libfaketime."""

from typing import Final

from tests.chaos.installation.nodes import UNITS
from tests.machines.machine import Machine

OFFSET: Final = "/etc/countersign/clock"
RIGHT: Final = "+0"
DROP_IN: Final = f"""
[Service]
Environment=LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1
Environment=FAKETIME_TIMESTAMP_FILE={OFFSET}
Environment=FAKETIME_CACHE_DURATION=1
Environment=FAKETIME_DONT_FAKE_MONOTONIC=1
Environment=DONT_FAKE_MONOTONIC=1
"""


def make_turnable(machine: Machine) -> None:
    """From the next start of its units on."""
    turn(machine, RIGHT)
    for unit in UNITS:
        machine.put(f"/etc/systemd/system/{unit}.service.d/clock.conf", DROP_IN)
    machine.run("systemctl", "daemon-reload")


def turn(machine: Machine, offset: str) -> None:
    """So many seconds from the right time, within a second. The clock that only counts on stays as it is."""
    machine.put(OFFSET, f"{offset}\n")
