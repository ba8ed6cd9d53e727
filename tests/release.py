"""The version that this checkout says it is, read by other means than the portal's own."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def release() -> str:
    """What stands under `[project]`."""
    found = re.search(r'^\[project\]$[^[]*?^version = "([^"]+)"$', PROJECT.read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    return found[1]
