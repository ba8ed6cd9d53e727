"""The folder of backups: what they are called, who writes there, what is removed, and whether there is room."""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from portal.operating.backups import manifest
from portal.operating.backups.databases import Database
from portal.operating.backups.failures import Failed

LOCK: Final = ".backup.lock"
# What is not complete bears this name, and only one writer is there at a time.
PART: Final = ".part-"
STAMP: Final = "%Y%m%dT%H%M%SZ"
NAME: Final = re.compile(r"countersign-(?P<label>[\w-]+)-(?P<at>\d{8}T\d{6}Z)\.(?:pgdump|sqlite3)(?:\.age)?", re.ASCII)
# What the disk keeps free beside the backup.
SPARE: Final = 64 * 1024 * 1024
UNITS: Final = ("kB", "MB", "GB", "TB")


@dataclass(frozen=True, slots=True, order=True)
class Backup:
    """A complete one."""

    at: datetime
    path: Path
    label: str


def name(database: Database, at: datetime, *, is_sealed: bool) -> str:
    """What a backup of that moment is called."""
    kind = "sqlite3" if database.is_sqlite else "pgdump"
    return f"countersign-{database.label}-{at:{STAMP}}.{kind}{'.age' if is_sealed else ''}"


def complete(folder: Path) -> list[Backup]:
    """The backups there that are complete, the oldest first. One without its manifest is none."""
    found = []
    for path in folder.glob("countersign-*"):
        match = NAME.fullmatch(path.name)
        if match and manifest.beside(path).exists():
            at = datetime.strptime(match["at"], STAMP).replace(tzinfo=UTC)
            found.append(Backup(at, path, match["label"]))
    return sorted(found)


def latest(folder: Path) -> Path:
    """The newest one.

    Raises: Failed where there is none.
    """
    found = complete(folder)
    if not found:
        raise Failed(f"There is no backup in {folder}.")
    return found[-1].path


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else writes a backup there meanwhile; what another left half done is removed.

    Raises: Failed if somebody does, or the folder cannot be written to.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Failed(f"{folder} cannot be written to: {error.strerror}.") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Failed(f"Another backup is being written to {folder}. Nothing was done.") from error
        for left in folder.glob(f"{PART}*"):
            left.unlink()
        yield
    finally:
        os.close(descriptor)


def refuse_without_room(folder: Path, needed: int) -> None:
    """Raises: Failed where so many bytes do not fit, and something beside them."""
    free, asked = shutil.disk_usage(folder).free, needed + SPARE
    if free < asked:
        raise Failed(f"{folder} has {in_words(free)} free, a backup may take {in_words(asked)}. Nothing was written.")


def expected_size(folder: Path, database: Database, whole: int) -> int:
    """What a new backup may take: half as much again as the last one, or, for the first, half of the database.

    A dump has no indexes in it, and is packed. A file of SQLite is copied as it is.
    """
    if database.is_sqlite:
        return 2 * whole
    before = [each for each in complete(folder) if each.label == database.label]
    return before[-1].path.stat().st_size * 3 // 2 if before else whole // 2


def publish(part: Path, written: manifest.Manifest) -> Path:
    """Give a complete file its name: the manifest is there first, so a backup that is seen has one."""
    folder = part.parent
    path = folder / written.file
    beside = folder / f"{PART}manifest"
    manifest.write(beside, written)
    beside.rename(manifest.beside(path))
    part.rename(path)
    _sync(folder)
    return path


def remove_old(folder: Path, label: str, *, keep: int | None, days: int | None) -> int:
    """Remove what is beyond the newest `keep` or older than `days`; never the newest one. Says how many those were."""
    found = [each for each in complete(folder) if each.label == label]
    oldest = None if days is None or not found else found[-1].at - timedelta(days=days)
    ahead = len(found) - max(keep, 1) if keep is not None else 0
    old = [each for place, each in enumerate(found[:-1]) if place < ahead or (oldest is not None and each.at < oldest)]
    for each in old:
        each.path.unlink(missing_ok=True)
    for left in folder.glob(f"countersign-{label}-*{manifest.SUFFIX}"):
        if not left.with_name(left.name.removesuffix(manifest.SUFFIX)).exists():
            left.unlink()
    return len(old)


def in_words(size: int) -> str:
    """A number of bytes as people say it."""
    if size < 1000:
        return f"{size} bytes"
    power = min((len(str(size)) - 1) // 3, len(UNITS))
    return f"{size / 1000**power:.1f} {UNITS[power - 1]}"


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
