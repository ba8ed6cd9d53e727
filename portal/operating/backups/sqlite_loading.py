"""A copy into a file of SQLite: beside its place until all is done, or in a folder that goes again."""

import fcntl
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from django.conf import settings

from portal.operating.backups.age_files import Writable
from portal.operating.backups.databases import Database
from portal.operating.backups.failures import Failed

SCRATCH: Final = "restore-check-"


@contextmanager
def scratch() -> Iterator[Database]:
    """A file that is made for this and goes with it; those that a killed run left go first."""
    _drop_left()
    folder = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=settings.VAR))
    # Held as long as this process lives: nobody else takes it for one that was left.
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield Database(is_sqlite=True, name=str(folder / "portal.sqlite3"))
    finally:
        os.close(held)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def claimed(target: Database) -> Iterator[Database]:
    """A file beside the one that is to be, which gets its name when the end of the block is reached.

    Raises: Failed where something is there already.
    """
    if target.path.exists():
        raise Failed(f"{target.path} is there already. Nothing was done: move it away first.")
    beside = target.named(f"{target.path}.restoring")
    try:
        _remove(beside.path)
        yield beside
        with closing(sqlite3.connect(beside.path)) as connection:
            # All of it into the one file that is renamed.
            connection.execute("PRAGMA journal_mode=DELETE")
        beside.path.rename(target.path)
    finally:
        _remove(beside.path)


def load(database: Database, pour: Callable[[Writable], None]) -> None:
    """Let `pour` write the copy, down to the disk. Raises: what `pour` raises, and Failed where SQLite reads none."""
    with os.fdopen(os.open(database.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        pour(file)
        file.flush()
        os.fsync(file.fileno())
    try:
        with closing(sqlite3.connect(database.path)) as connection:
            found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        raise Failed(f"SQLite cannot read it: {error}.") from error
    if found != "ok":
        raise Failed(f"SQLite finds it damaged: {found}.")


def _drop_left() -> None:
    for folder in Path(settings.VAR).glob(f"{SCRATCH}*"):
        held = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(held)


def _remove(path: Path) -> None:
    for left in path.parent.glob(f"{path.name}*"):
        left.unlink()
