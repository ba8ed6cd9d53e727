"""One lively database of SQLite for all, made by the demo and its bots; an empty one of PostgreSQL for each."""

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import krakenex
import psycopg
import pytest
from django.db import connection

from tests.running import ROOT, with_demo

NUMBERS = itertools.count()


@dataclass(frozen=True)
class Lively:
    """A folder with a database in it, as a portal left it, and how its commands are called."""

    folder: Path
    environment: Mapping[str, str]

    @property
    def demo(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "demo.json").read_text())
        return found

    def of_its_own(self, folder: Path) -> "Lively":
        """A copy of the files, to be spoilt. Nobody has them open."""
        shutil.copytree(self.folder, folder)
        return Lively(folder, {**self.environment, "PORTAL_VAR": str(folder)})

    def command(self, *arguments: str, rows: int = 2000, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of manage.py to its end."""
        return subprocess.run(
            self.called(*arguments, rows=rows), cwd=ROOT, env={**self.environment, **environment},
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip

    @staticmethod
    def called(*arguments: str, rows: int = 2000) -> list[str]:
        """The command, which copies so many rows at a time."""
        program = (
            "import sys; from portal.operating.copying import tables; "
            f"tables.ROWS = tables.ROWS_WITH_BYTES = {rows}; import manage; manage.main()"
        )
        return [sys.executable, "-c", program, *arguments]


@pytest.fixture(scope="session")
def lively(tmp_path_factory) -> Lively:
    folder = tmp_path_factory.mktemp("lively") / "var"
    with with_demo(folder) as portal:
        random = Random(16)
        api = krakenex.API(*portal.keys["trading-bot"])
        api.uri = portal.url
        for _ in range(40):
            side, volume = random.choice(["buy", "sell"]), f"{random.uniform(0.001, 0.02):.8f}"
            answer = api.query_private(
                "AddOrder", {"pair": "XBTUSD", "type": side, "ordertype": "market", "volume": volume}
            )
            assert answer["error"] == [], answer
        treasurer = krakenex.API(*portal.keys["treasury-bot"])
        treasurer.uri = portal.url
        for amount in ("0.1", "0.25", "0.5"):
            answer = treasurer.query_private("Withdraw", {"asset": "XBT", "key": "btc-cold", "amount": amount})
            assert answer["error"] == [], answer
    environment = {"PATH": os.environ["PATH"], "PORTAL_DEBUG": "1", "PORTAL_VAR": str(folder)}
    return Lively(folder, environment)


@dataclass
class Server:
    """The server of PostgreSQL that the tests were given, and the databases that were made on it."""

    made: list[str] = field(default_factory=list)

    def url(self, name: str) -> str:
        given = connection.settings_dict
        user, password = quote(given["USER"] or ""), quote(given["PASSWORD"] or "")
        host = quote(given["HOST"] or "", safe="")
        if host.startswith("%2F"):
            return f"postgres:///{name}?host={given['HOST']}"
        return f"postgres://{user}:{password}@{host}:{given['PORT'] or 5432}/{name}"

    def run(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as administrator:
            administrator.execute(statement)

    def empty(self, template: str = "") -> str:
        """A new database, and where it is."""
        name = f"{connection.settings_dict['NAME']}_copy{os.getpid()}_{next(NUMBERS)}"
        self.made.append(name)
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self.run(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
        return self.url(name)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    if connection.vendor != "postgresql":
        pytest.skip("it is copied into PostgreSQL")
    server = Server()
    yield server
    for name in server.made:
        server.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def migrated(server: Server, lively: Lively) -> str:
    """The name of a database that `migrate` has prepared, and nobody is connected to."""
    url = server.empty()
    done = lively.command("migrate", "--verbosity", "0", DATABASE_URL=url)
    assert done.returncode == 0, done.stderr
    return server.made[-1]


@pytest.fixture
def prepared(server, migrated) -> Callable[[], str]:
    """Where another such database is."""
    return lambda: server.empty(migrated)
