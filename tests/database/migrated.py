"""The migrated schema kept between runs: migrating an empty SQLite database takes most of the time of a short run."""

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.db import connection

from portal.local import local_keys
from tests.serving import surroundings

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".pytest_cache" / "migrated"
# Whatever a migration is made of: itself, what it imports, which apps there are, and the releases it runs on.
MADE_OF = ("portal/settings.py", "portal/core/database/**/*.py", "policies/workflows.py", "requirements/dev.txt")


@contextmanager
def kept() -> Iterator[None]:
    """While a test database is made: begin with the schema as it was migrated before, or keep it for the next time."""
    if connection.vendor != "sqlite":
        yield
        return
    # Private to Django, and the only place between an empty database and its migrations.
    creation: Any = connection.creation
    template = _template()
    migrate_from_nothing, finish = creation._create_test_db, creation.create_test_db
    held: list[sqlite3.Connection] = []

    def create_from_template(*args: Any, **kwargs: Any) -> str:
        name: str = migrate_from_nothing(*args, **kwargs)
        if template.exists():
            # Held open: a database in memory lives as long as somebody is connected to it.
            held.append(sqlite3.connect(name, uri=True, check_same_thread=False))
            with closing(sqlite3.connect(template)) as source:
                source.backup(held[0])
        return name

    def create(*args: Any, **kwargs: Any) -> str:
        name: str = finish(*args, **kwargs)
        if not template.exists():
            _keep(template)
        return name

    creation._create_test_db, creation.create_test_db = create_from_template, create
    try:
        yield
    finally:
        creation._create_test_db, creation.create_test_db = migrate_from_nothing, finish
        for connected in held:
            connected.close()


def begun(var: Path) -> None:
    """Let a portal begin there with the schema as it was migrated before; if it was not, it is migrated now.

    It has its keys as well: of several processes that begin at once none has to make them.
    """
    var.mkdir(parents=True, exist_ok=True, mode=0o700)
    local_keys(var)
    if _template().exists():
        database = var / "portal.sqlite3"
        shutil.copyfile(_template(), database)
        database.chmod(0o600)
    else:
        environment = surroundings() | {"PORTAL_DEBUG": "1", "PORTAL_VAR": str(var)}
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=180)


def _template() -> Path:
    return KEPT / f"{_fingerprint()}.sqlite3"


def _keep(template: Path) -> None:
    template.parent.mkdir(parents=True, exist_ok=True)
    for older in template.parent.glob("*.sqlite3"):
        older.unlink(missing_ok=True)
    fresh = template.with_suffix(f".{os.getpid()}")
    with closing(sqlite3.connect(fresh)) as target:
        connection.connection.backup(target)
    # Several workers make it at once; each of theirs is as good.
    fresh.replace(template)


def _fingerprint() -> str:
    digest = hashlib.sha256(sqlite3.sqlite_version.encode())
    for app in ("accounts", "policies", "portal"):
        for path in sorted((ROOT / app).rglob("migrations/*.py")):
            digest.update(path.name.encode() + path.read_bytes())
    for pattern in MADE_OF:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:24]
