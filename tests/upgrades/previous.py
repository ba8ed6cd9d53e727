"""The release before this one, as `deploy/previous-release` names it, taken out of the history of the repository."""

import hashlib
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from tests.running import ROOT

NAMED: Final = ROOT / "deploy/previous-release"
PIN: Final = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ \\;]+)", re.MULTILINE)
# Where it needs other packages than this release: made once for each list of them.
KEPT: Final = ROOT / ".pytest_cache" / "previous"
INSTALLED_WITHIN: Final = 600


@dataclass(frozen=True)
class Previous:
    """Its version, where its code lies, and the Python that runs it."""

    version: str
    code: Path
    python: str

    def knows(self, path: str) -> bool:
        """Whether it has that file."""
        return (self.code / path).exists()


def named() -> tuple[str, str]:
    """Its version and its commit."""
    version, commit = NAMED.read_text(encoding="utf-8").split()
    return version, commit


@cache
def why_none() -> str:
    """Why it cannot be had here; empty if it can."""
    if shutil.which("git") is None:
        return "git is not installed"
    _, commit = named()
    if _git("cat-file", "-e", f"{commit}^{{commit}}").returncode != 0:
        return f"this checkout does not have its commit {commit[:12]}: fetch the whole history"
    return ""


def unpacked(folder: Path) -> Previous:
    """Its files, as they were, in that folder."""
    version, commit = named()
    folder.mkdir(parents=True)
    archive = _git("archive", "--format=tar", commit)
    assert archive.returncode == 0, archive.stderr
    subprocess.run(["tar", "--extract", "--directory", str(folder)], input=archive.stdout, check=True, timeout=60)
    return Previous(version, folder, _python(folder))


def _python(folder: Path) -> str:
    """Ours, where it has all that the release was locked to; else one of its own."""
    if _pins(folder) <= _pins(ROOT):
        return sys.executable
    lock = folder / "requirements/dev.txt"
    environment = KEPT / hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    if not (environment / "complete").exists():
        shutil.rmtree(environment, ignore_errors=True)
        _run(sys.executable, "-m", "venv", str(environment))
        install = (str(environment / "bin/python"), "-m", "pip", "install", "--quiet", "--require-hashes")
        _run(*install, "--requirement", str(lock))
        (environment / "complete").touch()
    return str(environment / "bin/python")


def _pins(folder: Path) -> set[tuple[str, str]]:
    return {(name, version) for name, version in PIN.findall((folder / "requirements/dev.txt").read_text())}


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=INSTALLED_WITHIN)


def _git(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    # Whoever owns the files: a checkout in a container belongs to somebody else.
    return subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", *arguments], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
