"""A PostgreSQL of our own: on a free port, in a folder that goes with it, fast rather than safe unless asked."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psycopg

from tests import ports
from tests.database import kept

SUPERUSER: Final = "portal"
# Who runs it where we are root, which it refuses to be.
SYSTEM_USER: Final = "postgres"
OPTIONS: Final = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "log_min_messages=warning",
)
# What would be lost with the machine is lost with the test anyway.
UNSAFE: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass(frozen=True)
class PostgresqlServer:
    """A server that can be restarted under the same address; everybody on this machine may connect to it."""

    programs: Path
    folder: Path
    port: int
    options: tuple[str, ...] = (*OPTIONS, *UNSAFE)

    def url(self, database: str) -> str:
        """Where that database is."""
        return f"postgres://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, *, like: str = "template1") -> None:
        """Make a database: an empty one, or a copy of one that nobody is connected to."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{like}"')

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = " ".join(f"-c {option}" for option in (*self.options, f"port={self.port}"))
        self._run("pg_ctl", "start", "-w", "-t", "60", "-l", str(self.folder / "log"), "-o", options)

    def stop(self) -> None:
        """End it and every connection to it, as an operator would who is in a hurry."""
        self._run("pg_ctl", "stop", "-w", "-t", "60", "-m", "fast")

    def crash(self) -> None:
        """End it as a loss of power would: nothing more is written, and nobody is told."""
        self._run("pg_ctl", "stop", "-w", "-t", "60", "-m", "immediate")

    def promote(self) -> None:
        """Make a standby take changes, and wait until it does."""
        self._run("pg_ctl", "promote", "-w", "-t", "60")

    def is_even_with(self, other: "PostgresqlServer") -> bool:
        """Whether this standby shows everything that is in the other."""
        with psycopg.connect(other.url("postgres")) as theirs, psycopg.connect(self.url("postgres")) as ours:
            end = theirs.execute("SELECT pg_current_wal_insert_lsn()").fetchone()
            row = ours.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", end).fetchone()
            return row is not None and bool(row[0])

    @property
    def pid(self) -> int:
        """Its main process, whose children work for one connection each."""
        return int((self.folder / "data/postmaster.pid").read_text().split()[0])

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), "-D", str(self.folder / "data"), *arguments]
        done = subprocess.run(
            [*as_its_user(), *command], cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, f"{program} {arguments[0]}: {done.stderr}"


def programs() -> Path | None:
    """Where the newest installed server's programs are; None if there is none."""
    found = [
        path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb") if path.parent.parent.name.isdecimal()
    ]
    if found:
        return max(found, key=lambda path: int(path.parent.name))
    elsewhere = shutil.which("initdb")
    return Path(elsewhere).resolve().parent if elsewhere else None


def why_none() -> str:
    """Why no server can be started here; empty if one can."""
    if programs() is None:
        return "no PostgreSQL server is installed (initdb)"
    if os.geteuid() == 0:
        try:
            pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            return f"PostgreSQL does not run as root, and there is no user {SYSTEM_USER}"
        if shutil.which("runuser") is None:
            return "PostgreSQL does not run as root, and there is no runuser"
    return ""


@contextmanager
def running(folder: Path, *, is_safe: bool = False) -> Iterator[PostgresqlServer]:
    """A new server in that folder, which must be there and stays. See `why_none` for where there can be none.

    Where its `data` lies there, it begins with that.
    A safe one writes each commit to the disk, as an installation's does.
    """
    found = programs()
    assert found is not None, why_none()
    options = OPTIONS if is_safe else (*OPTIONS, *UNSAFE)
    server = PostgresqlServer(found, folder, ports.lasting(), options)
    if os.geteuid() == 0:
        shutil.chown(folder, SYSTEM_USER)
    if not (folder / "data").exists():
        with kept.folder("postgresql", _made_of(found), _initialise) as empty:
            kept.copied(empty / "data", folder / "data")
    server.start()
    try:
        yield server
    finally:
        with suppress(AssertionError):
            server.stop()


def _made_of(programs: Path) -> str:
    """What a server is like that was never started: it keeps the surroundings that it was made in."""
    program = (programs / "initdb").resolve()
    around = [f"{name}={os.environ.get(name)}" for name in ("LANG", "LC_ALL", "LC_COLLATE", "LC_CTYPE", "TZ")]
    return kept.digest((), str(program), str(program.stat().st_mtime_ns), str(os.geteuid()), *around)


def _initialise(folder: Path) -> None:
    """Put an empty server's `data` there: its programs make it in a folder that their user reaches."""
    found = programs()
    assert found is not None, why_none()
    with TemporaryDirectory(prefix="kept-postgresql-") as place:
        if os.geteuid() == 0:
            shutil.chown(place, SYSTEM_USER)
        server = PostgresqlServer(found, Path(place), 0)
        server._run("initdb", "-A", "trust", "-U", SUPERUSER, "-E", "UTF8", "--no-sync")
        kept.copied(Path(place) / "data", folder / "data")


@contextmanager
def standby(folder: Path, primary: PostgresqlServer) -> Iterator[PostgresqlServer]:
    """A replica of that one, started from a copy of it, which follows it until it is promoted."""
    server = PostgresqlServer(primary.programs, folder, ports.lasting(), primary.options)
    if os.geteuid() == 0:
        shutil.chown(folder, SYSTEM_USER)
    server._run("pg_basebackup", "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d", primary.url("postgres"))
    server.start()
    try:
        yield server
    finally:
        with suppress(AssertionError):
            server.stop()


def as_its_user() -> list[str]:
    """What a command begins with that root must not run."""
    return ["runuser", "-u", SYSTEM_USER, "--"] if os.geteuid() == 0 else []
