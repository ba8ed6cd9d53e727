"""Takes a backup: dumped, sealed, down on the disk, and only then given its name."""

import errno
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings

from portal.operating.backups import age_files, dumping, folder, state
from portal.operating.backups.age_files import Counted
from portal.operating.backups.databases import Database
from portal.operating.backups.failures import Failed, StandbyFailed
from portal.operating.backups.manifest import Manifest

FULL: Final = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to back up, where to, for whom, and what to keep of what is there. No `sealed_to`: it is left plain."""

    database: Database
    folder: Path
    sealed_to: list[str]
    keep: int | None = None
    keep_days: int | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A complete backup, and how many old ones were removed after it."""

    path: Path
    manifest: Manifest
    removed: int


def take(wanted: Wanted) -> Taken:
    """Back it up. Whatever goes wrong, nothing in the folder looks complete that is not, and no old one is gone.

    Raises: Failed.
    """
    with folder.alone(wanted.folder):
        whole = dumping.whole_size(wanted.database)
        folder.refuse_without_room(wanted.folder, folder.expected_size(wanted.folder, wanted.database, whole))
        part = wanted.folder / f"{folder.PART}backup"
        try:
            written = _written(wanted, part).signed()
            path = folder.publish(part, written)
        except OSError as error:
            raise Failed(_of_disk(wanted.folder, error)) from error
        finally:
            part.unlink(missing_ok=True)
        state.note("backup", file=path.name, bytes=written.size)
        removed = folder.remove_old(wanted.folder, wanted.database.label, keep=wanted.keep, days=wanted.keep_days)
    return Taken(path, written, removed)


def _written(wanted: Wanted, part: Path) -> Manifest:
    try:
        return _write(wanted, part, from_standby=True)
    except StandbyFailed:
        return _write(wanted, part, from_standby=False)


def _write(wanted: Wanted, part: Path, *, from_standby: bool) -> Manifest:
    began = _free_moment(wanted)
    with (
        os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file,
        dumping.dumped(wanted.database, wanted.folder, from_standby=from_standby) as dump,
    ):
        content, sealed = Counted(source=dump.content), Counted(sink=file)
        age_files.seal(content, sealed, wanted.sealed_to)
        file.flush()
        os.fsync(file.fileno())
    return Manifest(
        file=folder.name(wanted.database, began, is_sealed=bool(wanted.sealed_to)),
        made_at=began.isoformat(),
        version=settings.VERSION,
        database=wanted.database.label,
        kind="sqlite" if wanted.database.is_sqlite else "postgresql",
        made_by=dump.made_by,
        taken_from=dump.taken_from,
        size=sealed.size,
        sha256=sealed.sha256,
        content_size=content.size,
        content_sha256=content.sha256,
        sealed_to=wanted.sealed_to,
        facts=dump.facts,
    )


def _free_moment(wanted: Wanted) -> datetime:
    """Now, to the second; a second later than the last backup where that was made in this very one."""
    now = datetime.now(UTC).replace(microsecond=0)
    ours = [each.at for each in folder.complete(wanted.folder) if each.label == wanted.database.label]
    return now if not ours or ours[-1] < now else max(now, ours[-1] + timedelta(seconds=1))


def _of_disk(where: Path, error: OSError) -> str:
    if error.errno in FULL:
        return f"The disk of {where} is full. Nothing of this backup was kept, and no old one was removed."
    return f"{where} cannot be written to: {error.strerror or error}. Nothing of this backup was kept."
