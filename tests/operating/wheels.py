"""The wheel of this checkout, built as `make wheel` builds it, and copies installed from it."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]


def built(folder: Path) -> Path:
    """The wheel, in that folder. Nothing is fetched for it."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=ROOT, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    return wheel


def installed(wheel: Path, folder: Path) -> Path:
    """Where the commands of a copy lie that was installed there, beside the packages that the tests run with."""
    venv.create(folder)
    (site_packages,) = folder.glob("lib/*/site-packages")
    (site_packages / "beside.pth").write_text(sysconfig.get_path("purelib") + "\n")
    commands = folder / "bin"
    subprocess.run(
        [
            sys.executable, "-m", "pip", "--python", str(commands / "python"), "install", "--quiet", "--no-deps",
            "--no-index", str(wheel),
        ],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return commands
