"""`make bench`: states as ratios how quick the portal is beside others and what must not grow, and writes a page."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.found import Found, Options
from benchmarks.ratio import Ratio
from benchmarks.report import page
from benchmarks.report.tables import tables
from tests import postgresql_server
from tests.postgresql_server import PostgresqlServer
from tests.serving import ROOT, production, surroundings

DATABASE: Final = "bench"
BEGAN: Final = time.monotonic()


def main() -> int:
    """Measure, print the tables, and write the page if one is named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--keys", type=int, default=100_000, help="API keys in the database")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of one stretch of time, of which a round has 26")
    parser.add_argument("--page", help="the document to write; none if it is empty")
    options = parser.parse_args()
    if options.page and not Path(options.page).is_file():
        parser.error(f"{options.page} is not there: its figures are put between marks that stand in it")
    asked = Options(keys=options.keys, rounds=options.rounds, seconds=options.seconds)
    if reason := postgresql_server.why_none():
        sys.stderr.write(f"Nothing is measured beside the peers: {reason}.\n")
        url = os.environ.get("DATABASE_URL", "")
        found = Found(asked, alone=_alone(url), gateway=_gateway(url))
    else:
        with (
            tempfile.TemporaryDirectory(prefix="bench-database-") as folder,
            postgresql_server.running(Path(folder), is_safe=True) as server,
        ):
            found = _side_by_side(server, asked)
            found.alone = _alone(server.url(DATABASE))
            found.gateway = _gateway(server.url(DATABASE))
    for table in tables(found):
        sys.stdout.write(table.on_screen() + "\n")
    if options.page and found.readings:
        page.write(Path(options.page), found)
        _progress(f"{options.page} is written")
    return 0


def _side_by_side(server: PostgresqlServer, asked: Options) -> Found:
    server.create(DATABASE)
    with tempfile.TemporaryDirectory(prefix="bench-") as data:
        # Limits are on, as they are unless somebody turns them off; the tier of the callers has none.
        environment = production(server.url(DATABASE), Path(data)) | {"PORTAL_API_LIMITS": "1"}
        os.environ.update(environment)
        import django  # noqa: PLC0415  (settings are read once the environment is as it should be)

        django.setup()
        from benchmarks import side_by_side  # noqa: PLC0415

        return side_by_side.measure(server, server.url(DATABASE), environment, asked, Path(data), _progress)


def _alone(database_url: str) -> list[Ratio]:
    """What the portal is measured for beside itself."""
    _progress("the portal beside itself")
    return _apart("benchmarks.alone", database_url)


def _gateway(database_url: str) -> list[Ratio]:
    """What a call costs more that goes on to an exchange."""
    _progress("calls through the gateway")
    return _apart("benchmarks.gateway", database_url)


def _apart(module: str, database_url: str) -> list[Ratio]:
    """The ratios that a process of its own finds, in databases beside that one."""
    with tempfile.TemporaryDirectory(prefix="bench-") as data:
        settings = {"PORTAL_DEBUG": "1", "PORTAL_VAR": data, "PORTAL_API_LIMITS": "0"}
        done = subprocess.run(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env=surroundings() | settings | ({"DATABASE_URL": database_url} if database_url else {}),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return [Ratio(**json.loads(line)) for line in done.stdout.splitlines()]


def _progress(words: str) -> None:
    sys.stderr.write(f"{time.monotonic() - BEGAN:6.1f} s  {words}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
