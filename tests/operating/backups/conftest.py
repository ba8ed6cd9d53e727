"""Portals of their own with the demo in them, on SQLite and on PostgreSQL, run as an operator runs them."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pyrage
import pytest

from tests import postgresql_server
from tests.database import kept_demo
from tests.operating.loaded import Loaded, loaded
from tests.postgresql_server import PostgresqlServer
from tests.serving import ROOT, surroundings


@dataclass(frozen=True)
class Portal:
    """A portal, its backups' folder, and the key that opens them."""

    environment: dict[str, str]
    folder: Path
    identity: Path
    loaded: Loaded | None

    @property
    def typed(self) -> "Portal":
        """The same, whose every command is run as an operator types it."""
        return replace(self, loaded=None)

    @contextmanager
    def at(self, database_url: str) -> "Iterator[Portal]":
        """The same at that database, loaded for several commands."""
        environment = {**self.environment, "DATABASE_URL": database_url}
        with loaded(environment) as process:
            yield replace(self, environment=environment, loaded=process)

    def run(self, *command: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """A command of manage.py; what has loaded the portal has its own settings, and runs it with no others."""
        if self.loaded is not None and not settings:
            return self.loaded.run(*command)
        return subprocess.run(
            [sys.executable, "manage.py", *command], cwd=ROOT, env={**self.environment, **settings},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip

    def done(self, *command: str, **settings: str) -> str:
        """What it prints; it has to succeed."""
        done = self.run(*command, **settings)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, *command: str, **settings: str) -> str:
        """What is said where it does not succeed: one line, and no traceback."""
        done = self.run(*command, **settings)
        assert done.returncode != 0, done.stdout
        assert done.stderr.count("\n") == 1, done.stderr
        return done.stderr

    def backup(self, *options: str, **settings: str) -> Path:
        """The file of a new one."""
        return Path(self.done("backup", *options, **settings).partition(": ")[0])

    @property
    def bots(self) -> dict[str, tuple[str, str]]:
        """Public and secret half of each bot's key, by its name."""
        said = json.loads((Path(self.environment["PORTAL_VAR"]) / "demo.json").read_text())
        return {bot["name"]: (bot["api_key"], bot["api_secret"]) for bot in said["service_users"]}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is done to a PostgreSQL of its own takes long: only CI and `make test-whole` do it."""
    for item in items:
        params = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        if "server" in getattr(item, "fixturenames", ()) or params.get("portal") == "postgresql":
            item.add_marker("long")


@contextmanager
def backed_up(var: Path, folder: Path, **settings: str) -> Iterator[Portal]:
    """The portal whose data lies in `var`, with a folder of its own for its backups and their key."""
    folder.mkdir(exist_ok=True)
    key = pyrage.x25519.Identity.generate()
    identity = folder / "identity.txt"
    identity.write_text(f"# made for a test\n{key}\n")
    environment = surroundings() | {
        "PORTAL_DEBUG": "1",
        "PORTAL_VAR": str(var),
        "PORTAL_BACKUP_DIR": str(folder / "backups"),
        "PORTAL_BACKUP_RECIPIENT": str(key.to_public()),
        "PORTAL_BACKUP_IDENTITY": str(identity),
        **settings,
    }
    with loaded(environment) as process:
        yield Portal(environment, folder / "backups", identity, process)


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory) -> Iterator[Portal]:
    folder = tmp_path_factory.mktemp("backups-sqlite")
    kept_demo.begun(folder / "var")
    with backed_up(folder / "var", folder) as portal:
        yield portal


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresqlServer]:
    if reason := postgresql_server.why_none():
        pytest.skip(reason)
    with (
        tempfile.TemporaryDirectory(prefix="backups-postgresql-") as folder,
        kept_demo.on_postgresql(Path(folder)) as running,
    ):
        yield running


@pytest.fixture(scope="session")
def on_postgresql(server, tmp_path_factory) -> Iterator[Portal]:
    folder = tmp_path_factory.mktemp("portal-postgresql")
    with backed_up(server.folder / "var", folder, DATABASE_URL=server.url(kept_demo.DEMO)) as portal:
        yield portal


@pytest.fixture(params=["sqlite", "postgresql"])
def portal(request) -> Portal:
    """One after the other."""
    found: Portal = request.getfixturevalue(f"on_{request.param}")
    return found
