"""An installation that is broken twice while it is used; `make soak` does so for longer, and in every way."""

import subprocess
import sys

from tests.serving import ROOT

# Two that take no time by themselves: a process is killed, and the database is stopped.
FAULTS = "worker of pages,stopped at once"
# A whole installation is made, on a machine that may be busy.
ENDS_WITHIN = 1500


def test_every_answer_is_there_once_whatever_breaks():
    command = [sys.executable, "-m", "tests.chaos", "--minutes", "0.2", "--bots", "3", "--faults", FAULTS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=ENDS_WITHIN)
    assert done.returncode == 0, done.stdout[-15_000:] + done.stderr[-5_000:]
    for fault in ("kill -9: worker of pages and calls", "PostgreSQL stopped at once"):
        assert fault in done.stdout
