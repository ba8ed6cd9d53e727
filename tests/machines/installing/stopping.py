"""An installer that is killed where a test says, as by somebody who closes the window or a machine that goes down."""

from typing import Final

from tests.machines.installation import BROUGHT, DOMAIN, INSTALLED_WITHIN
from tests.machines.machine import Machine

# As `nsenter` passes it on.
KILLED: Final = -9
HOOK: Final = "/root/stopping"
# Read by bash before the script; before each command it looks whether this is the place.
TRAP: Final = """
unset BASH_ENV
set -o functrace
trap 'if [[ $STOPPED_BEFORE && $BASH_COMMAND == "$STOPPED_BEFORE"* ]] || ((${changes:-0} >= STOPPED_AT)); then
    kill -9 $$
fi' DEBUG
"""
OPTIONS: Final = ("--domain", DOMAIN, "--mail-url", "dummymail://", "--mail-from", f"portal@{DOMAIN}")


def installed_until(machine: Machine, *options: str, before: str = "", change: int = 1000) -> tuple[int, list[str]]:
    """Run the installer until the first command that begins so, or its change of that number: status, what it said."""
    machine.put(HOOK, TRAP)
    done = machine.run(
        "bash", f"{BROUGHT}/install.sh", "--wheels", f"{BROUGHT}/wheels", *options,
        environment={"BASH_ENV": HOOK, "STOPPED_BEFORE": before, "STOPPED_AT": str(change)},
        check=False, timeout=INSTALLED_WITHIN,
    )  # fmt: skip
    assert done.returncode in {0, KILLED}, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done.returncode, done.stdout.splitlines()
