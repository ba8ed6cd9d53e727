"""How the portal is served: as the Makefile says it, so that the tests try what people run."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def serving() -> list[str]:
    """The options of the server that do not depend on the machine."""
    found = re.search(r"^SERVE = (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found is not None
    return found[1].split()
