"""`python -m tests.chaos`: an installation on machines of its own, broken in every way, and each answer checked.

Ends with 1 if anything is wrong.
"""

import argparse
import contextlib
import random
import sys
import tempfile
from pathlib import Path

from tests.chaos import run
from tests.chaos.faults import every
from tests.chaos.installation import whole
from tests.chaos.run import Plan
from tests.machines import images


def main() -> int:
    """Run it. What it prints last is the result."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--hours", type=float, default=0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 10**6))
    parser.add_argument("--faults", default="", help="words of their names, by comma; all of them by default")
    parser.add_argument("--bots", type=int, default=6)
    parser.add_argument("--kept", type=Path, help="a folder for the result, and for all records if it is bad")
    options = parser.parse_args()
    if reason := images.why_none():
        sys.stderr.write(f"There is nothing to run it on: {reason}.\n")
        return 2
    try:
        faults = every.chosen(options.faults)
    except ValueError as error:
        parser.error(str(error))
    seconds = 3600 * options.hours or 60 * options.minutes
    sys.stderr.write(f"seed {options.seed}; the installation is made: a few minutes\n")
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, whole.standing(Path(folder)) as there:
        plan = Plan(options.seed, seconds, faults, options.bots, options.kept)
        found = run.soak(there, plan)
    text = "\n".join([*found.lines, ""])
    sys.stdout.write(text)
    if options.kept:
        options.kept.mkdir(parents=True, exist_ok=True)
        (options.kept / f"{options.seed}.txt").write_text(text)
    return 1 if found.wrong else 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
