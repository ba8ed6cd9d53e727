"""Where this portal lies, and which release it is: the same code runs in a checkout and installed from a wheel."""

import tomllib
from importlib import metadata
from pathlib import Path
from typing import Final

PACKAGE: Final = "countersign-portal"
# The folder that holds our packages: the checkout, or where the wheel was installed to.
BASE: Final = Path(__file__).resolve().parent.parent
# The wheel keeps what is no code in here.
_CARRIED: Final = Path(__file__).resolve().parent / "site"
IS_INSTALLED: Final = _CARRIED.is_dir()
# What holds `templates` and `static`, `deploy` and `requirements`.
SITE: Final = _CARRIED if IS_INSTALLED else BASE
# Where local data lie unless PORTAL_VAR says so: an installation's code is no place for them.
HOME: Final = Path.cwd() if IS_INSTALLED else BASE


def version() -> str:
    """The release: as the checkout says, or as the wheel did when it was installed."""
    if IS_INSTALLED:
        return metadata.version(PACKAGE)
    found: str = tomllib.loads((BASE / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return found
