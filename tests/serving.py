"""How the portal is served: as the Makefile and the guide say it, so that the tests try what people run."""

import os
import re
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[1]
GUIDE: Final = ROOT / "docs/operating.md"
# What a program needs of this machine. Nothing else is handed on: it would be set up as the tests are.
KEPT: Final = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")
# By this a process of the portal's own counts the lines that it goes through, if the tests do.
COUNTED: Final = "COVERAGE_PROCESS_CONFIG"


def surroundings() -> dict[str, str]:
    """The variables that a process of the portal finds, to which its settings are added."""
    return {name: value for name, value in os.environ.items() if name in {*KEPT, COUNTED}}


def serving() -> list[str]:
    """The options of the server that do not depend on the machine."""
    return _variable("SERVE")


def at_one_address() -> list[str]:
    """The same as `make run` has it: pages, calls and sockets."""
    return [*serving(), *_variable("AT_ONE_ADDRESS")]


def streaming() -> list[str]:
    """The options of the server of sockets in production, as the guide for operators has them."""
    found = re.search(r"^uvicorn portal\.asgi:application ((?:[^\n]*\\\n)*)", GUIDE.read_text(), re.MULTILINE)
    assert found is not None
    return found[1].replace("\\\n", " ").split()


def _variable(name: str) -> list[str]:
    found = re.search(rf"^{name} = (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found is not None
    return found[1].split()
