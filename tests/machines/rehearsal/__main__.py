"""`make rehearsal`: the whole of it, on an installation of its own; it ends with 1 at the first thing that is wrong."""

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path

from tests.machines import images
from tests.machines.rehearsal import run


def main() -> int:
    """Run it. What it prints is what it measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.machines.rehearsal", description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True, help="a folder for what people saw in Chromium")
    options = parser.parse_args()
    if reason := images.why_none():
        sys.stderr.write(f"There is nothing to run it on: {reason}.\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        try:
            run.everything(Path(folder), options.pictures.resolve())
        except AssertionError as error:
            sys.stderr.write(f"{error}\n")
            return 1
    return 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
