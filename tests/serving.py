"""How the portal is served: as the Makefile says it, so that the tests try what people run."""

import os
import re
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[1]
# What a program needs of this machine. Nothing else is handed on: it would be set up as the tests are.
KEPT: Final = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")
# By this a process of the portal's own counts the lines that it goes through, if the tests do.
COUNTED: Final = "COVERAGE_PROCESS_CONFIG"


def surroundings() -> dict[str, str]:
    """The variables that a process of the portal finds, to which its settings are added."""
    return {name: value for name, value in os.environ.items() if name in {*KEPT, COUNTED}}


def serving() -> list[str]:
    """The options of the server that do not depend on the machine."""
    found = re.search(r"^SERVE = (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found is not None
    return found[1].split()
