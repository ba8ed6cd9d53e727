"""The demo as it was made once for this code: a portal that begins with a copy of it need not make its own.

All of them have the same keys and the same bots. Where it is its making that is looked at, nobody begins like this.
"""

import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests import postgresql_server
from tests.database import kept, migrated
from tests.postgresql_server import PostgresqlServer
from tests.serving import ROOT, surroundings

# What it holds is of its time: it is not from before this run, or hardly.
SECONDS: Final = 3600.0
# The databases of the server: one with the demo, and one with the schema alone.
DEMO: Final = "portal"
MIGRATED: Final = "migrated"


def begun(var: Path) -> None:
    """Let a portal on SQLite begin in that folder, which is new or empty, with the demo."""
    made_of = kept.digest((), kept.code(), sqlite3.sqlite_version, sys.version)
    with kept.folder("demo-sqlite", made_of, _make_on_sqlite, seconds=SECONDS) as found:
        _brought(found, var)


@contextmanager
def on_postgresql(folder: Path) -> Iterator[PostgresqlServer]:
    """A server in that folder with the databases `DEMO` and `MIGRATED`; beside it, in `var`, what belongs to them."""
    programs = postgresql_server.programs()
    assert programs is not None, postgresql_server.why_none()
    made_of = kept.digest((), kept.code(), str(programs), sys.version)
    with kept.folder("demo-postgresql", made_of, _make_on_postgresql, seconds=SECONDS) as found:
        _brought(found, folder)
    with postgresql_server.running(folder) as server:
        yield server


def _make_on_sqlite(folder: Path) -> None:
    migrated.begun(folder)
    _manage(folder, "demo", "--migrate")


def _make_on_postgresql(folder: Path) -> None:
    var = folder / "var"
    with tempfile.TemporaryDirectory(prefix="kept-postgresql-") as place:
        with postgresql_server.running(Path(place)) as server:
            server.create(MIGRATED)
            _manage(var, "migrate", "--verbosity", "0", DATABASE_URL=server.url(MIGRATED))
            server.create(DEMO, like=MIGRATED)
            _manage(var, "demo", "--migrate", DATABASE_URL=server.url(DEMO))
        kept.copied(Path(place) / "data", folder / "data")


def _manage(var: Path, *command: str, **settings: str) -> None:
    environment = surroundings() | {"PORTAL_DEBUG": "1", "PORTAL_VAR": str(var), **settings}
    subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=environment, check=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, timeout=240,
    )  # fmt: skip


def _brought(source: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in source.iterdir():
        kept.copied(path, folder / path.name)
