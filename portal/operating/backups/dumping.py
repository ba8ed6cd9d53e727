"""What is dumped, as a stream: pg_dump of PostgreSQL, from a standby if there is one; a copy of SQLite's own backup."""

import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import psycopg

from portal.operating.backups import contents
from portal.operating.backups.age_files import Readable
from portal.operating.backups.databases import Database
from portal.operating.backups.failures import Failed, StandbyFailed, first_line
from portal.operating.backups.folder import PART
from portal.operating.backups.manifest import Facts

# A table that a migration holds for longer ends the backup rather than having everybody queue up behind it.
LOCK_WAIT: Final = "60s"
# In the transaction whose snapshot is dumped, which stands still meanwhile.
UNHURRIED: Final = ("statement_timeout", "idle_in_transaction_session_timeout")


@dataclass(frozen=True, slots=True)
class Dump:
    """A dump that is being read. `made_by` is the program and its version, `taken_from` what kind of server it was."""

    content: Readable
    facts: Facts
    made_by: str
    taken_from: str


def whole_size(database: Database) -> int:
    """How many bytes the database takes where it is.

    Raises: Failed where it cannot be asked.
    """
    if database.is_sqlite:
        files = [database.path, database.path.with_name(database.path.name + "-wal")]
        return sum(path.stat().st_size for path in files if path.exists())
    with closing(database.connect()) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return int(row[0]) if row else 0


@contextmanager
def dumped(database: Database, folder: Path, *, from_standby: bool = True) -> Iterator[Dump]:
    """The dump of one moment, to be read to its end within.

    Raises: Failed, also at the end where it turns out not to be whole; StandbyFailed if a primary may still do it.
    """
    if database.is_sqlite:
        with _copied(database, folder) as dump:
            yield dump
        return
    with closing(_connected(database, from_standby=from_standby)) as connection:
        is_standby = bool(_one(connection, "SELECT pg_is_in_recovery()"))
        failing = StandbyFailed if is_standby else Failed
        try:
            snapshot, found = _snapshot(connection)
        except psycopg.Error as error:
            raise failing(f"{database.name}: {first_line(str(error), 'it gave no snapshot')}") from error
        # The same server, whichever of them that is.
        there = database.at(connection.info.host, connection.info.port)
        with _program(there, snapshot, failing) as content:
            yield Dump(content, found, _version(), "standby" if is_standby else "primary")


@contextmanager
def _program(database: Database, snapshot: str, failing: type[Failed]) -> Iterator[IO[bytes]]:
    command = [_pg_dump(), "--format=custom", "--no-password", f"--snapshot={snapshot}"]
    command += [f"--lock-wait-timeout={LOCK_WAIT}", f"--dbname={database.conninfo()}"]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 - no shell, and nothing of it is a stranger's
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, env=database.environment()
        )
        assert process.stdout is not None  # noqa: S101 - it was asked for
        try:
            yield process.stdout
            process.stdout.close()
            if process.wait() != 0:
                said.seek(0)
                raise failing(first_line(said.read().decode(errors="replace"), "pg_dump failed"))
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def _connected(database: Database, *, from_standby: bool) -> "psycopg.Connection[tuple[Any, ...]]":
    if "," not in database.host:
        return database.connect()
    return database.connect(target_session_attrs="prefer-standby" if from_standby else "primary")


def _snapshot(connection: "psycopg.Connection[tuple[Any, ...]]") -> tuple[str, Facts]:
    """The name of a snapshot, which lasts as long as the connection, and what is seen in it."""
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    for name in UNHURRIED:
        connection.execute(f"SET LOCAL {name} = 0".encode())
    snapshot = str(_one(connection, "SELECT pg_export_snapshot()"))
    return snapshot, contents.facts(lambda text: connection.execute(text.encode()).fetchall(), is_sqlite=False)


@contextmanager
def _copied(database: Database, folder: Path) -> Iterator[Dump]:
    """SQLite copies a file that others write to as one moment of it. The copy is plain, and goes at once."""
    if not database.path.exists():
        raise Failed(f"{database.path} is not there.")
    copy = folder / f"{PART}copy"
    try:
        copy.touch(0o600)
        try:
            with closing(sqlite3.connect(database.path)) as source, closing(sqlite3.connect(copy)) as target:
                source.backup(target)
            with closing(sqlite3.connect(f"{copy.as_uri()}?immutable=1", uri=True)) as connection:
                found = contents.facts(connection.execute, is_sqlite=True)
        except sqlite3.Error as error:
            raise Failed(f"{database.path}: {error}.") from error
        with copy.open("rb") as content:
            yield Dump(content, found, f"SQLite {sqlite3.sqlite_version}", "file")
    finally:
        for left in folder.glob(f"{copy.name}*"):
            left.unlink()


def _pg_dump() -> str:
    found = shutil.which("pg_dump")
    if found is None:
        raise Failed("pg_dump is not installed here: it comes with the package postgresql-client.")
    return found


def _version() -> str:
    done = subprocess.run([_pg_dump(), "--version"], capture_output=True, text=True, check=False, timeout=30)  # noqa: S603
    return done.stdout.strip()


def _one(connection: "psycopg.Connection[tuple[Any, ...]]", statement: str) -> object:
    row = connection.execute(statement.encode()).fetchone()
    return row[0] if row else None
