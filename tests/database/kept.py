"""What takes long to make and is the same each time: made once, kept beside what pytest keeps, and copied."""

import fcntl
import hashlib
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
KEPT: Final = ROOT / ".pytest_cache" / "kept"
# Whatever a portal is made of, and who makes it.
CODE: Final = ("manage.py", "accounts/**/*.py", "policies/**/*.py", "portal/**/*.py", "templates/**/*.*")
MADE_BY: Final = ("tests/database/kept*.py", "tests/postgresql_server.py", "requirements/dev.txt")


@contextmanager
def folder(name: str, made_of: str, make: Callable[[Path], None], *, seconds: float | None = None) -> Iterator[Path]:
    """The folder that `make` has filled for what is `made_of` that; for so many seconds no other makes or removes it.

    What was kept of this name for anything else, or longer than `seconds`, is made anew. Several workers begin at once:
    one makes it, and the others wait for that.
    """
    KEPT.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = KEPT / f"{name}-{made_of}"
    with (KEPT / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.exists() or (seconds is not None and time.time() - found.stat().st_mtime > seconds):
            for older in KEPT.glob(f"{name}-*"):
                shutil.rmtree(older)
            fresh = KEPT / f"{name}-half"
            fresh.mkdir(mode=0o700)
            make(fresh)
            fresh.rename(found)
        yield found


def copied(source: Path, target: Path) -> None:
    """Copy a folder with all that is in it, and whose each is."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True, stdin=subprocess.DEVNULL, timeout=120)


@cache
def code() -> str:
    """Of the portal as it stands here: another word for each change of it."""
    return digest((*CODE, *MADE_BY))


def digest(patterns: Iterable[str], *words: str) -> str:
    """A name for what these files hold, and these words."""
    found = hashlib.sha256("\n".join(words).encode())
    for pattern in patterns:
        for path in sorted(path for path in ROOT.glob(pattern) if path.is_file()):
            found.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return found.hexdigest()[:24]
