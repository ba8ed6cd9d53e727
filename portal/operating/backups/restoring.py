"""Restores a backup: looked at whole before a byte is loaded, and proved in the database that it was loaded into."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyrage
from django.db.migrations.loader import MigrationLoader

from portal.core.secrets import sealing
from portal.operating.backups import age_files, manifest, postgresql_loading, sqlite_loading, state
from portal.operating.backups.age_files import Counted
from portal.operating.backups.children import Portal
from portal.operating.backups.databases import Database
from portal.operating.backups.failures import Failed
from portal.operating.backups.manifest import Manifest
from portal.operating.backups.read_twice import Blocks, Changed, Seen

Say = Callable[[str], None]
KINDS: Final = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which backup, what opens it, and where to.

    `are_keys_lost`: the sealing keys are gone, so what only they prove is not asked.
    """

    file: Path
    identities: list[Any]
    target: Database
    are_keys_lost: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """A backup that was looked at: its manifest, and what was seen of its dump."""

    manifest: Manifest
    seen: Seen


def drill(wanted: Wanted, say: Say) -> None:
    """Restore it into a scratch database of that server, prove it there, and write down that it was done.

    Raises: Failed; nothing stays behind then either.
    """
    found = looked_at(wanted)
    server = wanted.target
    place = sqlite_loading.scratch() if server.is_sqlite else postgresql_loading.scratch(server)
    with place as database:
        say(_proved(wanted, found, database, is_drill=True))
    state.note("drill", file=wanted.file.name, made_at=found.manifest.made_at)


def restore(wanted: Wanted, say: Say) -> None:
    """Restore it for good into an empty database, and do all that `afterrestore` does, before anybody can be served.

    Raises: Failed; whatever is in the target by then cannot be served.
    """
    found = looked_at(wanted)
    with _claimed(wanted.target) as database:
        say(_proved(wanted, found, database, is_drill=False))


def looked_at(wanted: Wanted) -> Looked:
    """What there is to load, once the file turned out to be whole, ours, and one that this version can take.

    Raises: Failed.
    """
    found = manifest.read(wanted.file)
    if found.kind not in KINDS or (found.kind == "sqlite") != wanted.target.is_sqlite:
        raise Failed(f"{wanted.file} is a dump of {KINDS.get(found.kind, 'something else')}, and goes nowhere else.")
    if bool(found.sealed_to) != bool(wanted.identities):
        raise Failed(f"{wanted.file} is {'' if found.sealed_to else 'not '}sealed: {_asked(found)}.")
    if not wanted.are_keys_lost:
        if lacking := sorted(set(found.facts.sealing_keys) - set(sealing.key_names())):
            raise Failed(f"PORTAL_SEALING_KEYS lacks {', '.join(lacking)}, without which this backup opens nothing.")
        if not found.is_ours():
            raise Failed(f"The manifest of {wanted.file} was not signed by a portal with these sealing keys.")
    if found.file != wanted.file.name:
        # The time stands in the name: an old one must not pass for the newest.
        raise Failed(
            f"{wanted.file} was written as {found.file}: is it the one that you mean? Give it that name again."
        )
    known = _known_migrations()
    later = [(app, name) for app, names in found.facts.migrations.items() for name in names if (app, name) not in known]
    if later:
        raise Failed(f"It is of version {found.version}, which is later than this one: it knows {'.'.join(later[0])}.")
    seen = Seen()
    _pour(wanted, found, seen.first())
    return Looked(found, seen)


def _known_migrations() -> set[tuple[str, str]]:
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    return set(loader.disk_migrations or ())


@contextmanager
def _claimed(target: Database) -> Iterator[Database]:
    place: AbstractContextManager[Database]
    place = sqlite_loading.claimed(target) if target.is_sqlite else postgresql_loading.claimed(target)
    is_claimed = False
    try:
        with place as database:
            is_claimed = True
            yield database
    except Failed as error:
        if not is_claimed or target.is_sqlite:
            raise
        raise Failed(
            f"{error} {target.name} cannot be served: its search_path is {postgresql_loading.NOT_FINISHED!r}. "
            "Drop it, make it anew, and restore again."
        ) from error


def _proved(wanted: Wanted, found: Looked, database: Database, *, is_drill: bool) -> str:
    """Load it, and have all that is to be done in it done by a process whose database it is; what that says."""
    loading = sqlite_loading.load if database.is_sqlite else postgresql_loading.load
    loading(database, lambda sink: _pour(wanted, found.manifest, found.seen.again(sink)))
    url = database.url() if database.is_sqlite else postgresql_loading.inside(database)
    with tempfile.NamedTemporaryFile("w", suffix=".heads") as heads:
        heads.write("".join(f"{line}\n" for line in found.manifest.facts.chains))
        heads.flush()
        options = [*(["--drill"] if is_drill else []), *(["--keys-lost"] if wanted.are_keys_lost else [])]
        return Portal(url, is_drill).command("checkrestored", "--kept", heads.name, *options).strip()


def _pour(wanted: Wanted, found: Manifest, sink: Blocks) -> None:
    """Open the file into `sink`, and see that file and content are those that the manifest tells of."""
    try:
        with wanted.file.open("rb") as file:
            sealed, content = Counted(source=file), Counted(sink=sink)
            _open(sealed, content, wanted)
            sink.end()
    except BrokenPipeError:
        raise
    except Changed as error:
        raise Failed(f"{wanted.file} was exchanged while it was restored. Nothing of that was loaded.") from error
    except OSError as error:
        raise Failed(f"{wanted.file} cannot be read: {error.strerror}.") from error
    said = (found.size, found.sha256, found.content_size, found.content_sha256)
    if said != (sealed.size, sealed.sha256, content.size, content.sha256):
        raise Failed(f"{wanted.file} is not what was written: its length or its SHA-256 is another one.")


def _open(sealed: Counted, content: Counted, wanted: Wanted) -> None:
    try:
        age_files.open_sealed(sealed, content, wanted.identities)
    except pyrage.DecryptError as error:
        raise Failed(f"The key does not open {wanted.file}: it was sealed to another one, or damaged.") from error
    except OSError as error:
        if isinstance(content.failed, BrokenPipeError | Changed):
            raise content.failed from None
        if content.failed or sealed.failed:
            raise
        raise Failed(f"{wanted.file} was cut short, or changed after it was written.") from error


def _asked(found: Manifest) -> str:
    return "name the file of its private key with --identity" if found.sealed_to else "leave --identity out"
