"""An installation as an operator makes it: the wheel of this checkout, the packages it was tried with, one command."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.machines import images
from tests.operating import wheels
from tests.operating.wheels import ROOT

LOCKS: Final = ("build", "runtime")
# Some sixty packages, with room for a slow line.
FETCHED_WITHIN: Final = 600


@dataclass(frozen=True)
class Release:
    """What an operator brings to a machine: the wheel, a folder with every package that it needs, the installer."""

    wheel: Path
    wheels: Path
    installer: Path

    @property
    def version(self) -> str:
        """As the wheel is named."""
        return self.wheel.name.split("-")[1]


def release(folder: Path | None = None) -> Release:
    """The release of this checkout as it stands; built into the folder, or one of its own that stays."""
    folder = folder or Path(tempfile.mkdtemp(prefix="countersign-release-"))
    return Release(wheels.built(folder), wheelhouse(), ROOT / "deploy/install.sh")


def wheelhouse() -> Path:
    """Every package that is locked, so that a machine without a way out can be given them. Fetched once, and kept."""
    locks = [ROOT / f"requirements/{name}.txt" for name in LOCKS]
    name = hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()[:16]
    images.KEPT.mkdir(parents=True, exist_ok=True)
    folder = images.KEPT / f"wheels-{name}"
    with (images.KEPT / f"wheels-{name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not folder.is_dir():
            _fetch(locks, folder)
    return folder


def _fetch(locks: list[Path], folder: Path) -> None:
    unfinished = folder.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    for lock in locks:
        # From where this machine's pip is set up to fetch: the hashes say whether it is what was asked for.
        command = ["-m", "pip", "download", "--quiet", "--require-hashes", "--requirement", str(lock)]
        done = subprocess.run(
            [sys.executable, *command, "--dest", str(unfinished)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=FETCHED_WITHIN,
        )  # fmt: skip
        assert done.returncode == 0, f"pip download: {done.stderr[-3000:]}"
    for path in (unfinished, *unfinished.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    unfinished.rename(folder)
