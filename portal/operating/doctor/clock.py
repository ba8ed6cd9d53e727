"""The time: how far this machine's clock is from the database's, and whether anybody sets it right."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.db import DatabaseError, connection

from portal.operating.doctor.findings import Finding, Words

# Nodes further apart than this answer differently where something ends by time.
APART: Final = 2.0
FAR_APART: Final = 30.0
ASKED_WITHIN: Final = 5
# Of systemd's own, Docker and Podman.
OF_A_CONTAINER: Final = (Path("/run/systemd/container"), Path("/.dockerenv"), Path("/run/.containerenv"))
DO: Final = "Install chrony or systemd-timesyncd on every machine: apt install chrony; timedatectl shows the rest."
words = Words("clock")


def look() -> Iterator[Finding]:
    """NTP first: it can be asked without a database."""
    yield from _ntp()
    if connection.vendor == "postgresql":
        yield from _database()


def apart(whose: str, seconds: float, *, words: Words = words) -> Finding:
    """What a difference of two clocks means."""
    said = f"{whose} clock is {abs(seconds):.1f} s {'ahead of' if seconds > 0 else 'behind'} this machine's"
    if abs(seconds) >= FAR_APART:
        return words.wrong(said, DO)
    return words.warn(said, DO) if abs(seconds) >= APART else words.ok(f"{whose} clock agrees with this machine's")


def _database() -> Iterator[Finding]:
    try:
        with connection.cursor() as cursor:
            # The first statement also connects, which takes its own time.
            cursor.execute("SELECT 1")
            before = time.time()
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
            (there,) = cursor.fetchone()
    except DatabaseError:
        yield words.warn("the database's clock is not known: it does not answer", "Put the database right first.")
        return
    yield apart("the database's", float(there) - (before + time.time()) / 2)


def _ntp() -> Iterator[Finding]:
    for asked in (_chrony, _systemd):
        is_right = asked()
        if is_right is not None:
            if is_right:
                yield words.ok("kept by NTP")
            elif any(path.exists() for path in OF_A_CONTAINER):
                yield words.warn("a container: its host keeps the clock", f"See there whether NTP does. {DO}")
            else:
                yield words.wrong("no NTP server sets this machine's clock", DO)
            return
    yield words.warn(
        "neither chrony nor systemd says whether NTP keeps it", "In a container its host does: look there. Else: " + DO
    )


def _systemd() -> bool | None:
    said = _output("timedatectl", "show", "--property=NTPSynchronized", "--value")
    return said.strip() == "yes" if said else None


def _chrony() -> bool | None:
    said = _output("chronyc", "-n", "tracking")
    return "Leap status     : Normal" in said if said else None


def _output(program: str, *arguments: str) -> str:
    """What it prints; empty where it is not there or does not work."""
    found = shutil.which(program)
    if found is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603  (a program of this machine, with fixed arguments)
            [found, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=ASKED_WITHIN,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
