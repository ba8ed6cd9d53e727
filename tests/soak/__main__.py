"""`python -m tests.soak`: serves a portal on a PostgreSQL of its own, breaks it, and checks what its bots were told.

Ends with 1 and the frames around each fault, if there is one.
"""

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
from pathlib import Path

from tests import postgresql_server
from tests.postgresql_server import PostgresqlServer
from tests.serving import production

DATABASE = "soak"


def main() -> int:
    """Run it. What it prints last is the result."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--sockets", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=600)
    options = parser.parse_args()
    if reason := postgresql_server.why_none():
        sys.stderr.write(f"There is nothing to run it on: {reason}.\n")
        return 2
    # Two folders: PostgreSQL does not run as who we may be, and has to reach its own.
    with (
        tempfile.TemporaryDirectory(prefix="soak-") as data,
        tempfile.TemporaryDirectory(prefix="soak-database-") as folder,
        postgresql_server.running(Path(folder)) as database,
    ):
        database.create(DATABASE)
        # The bots are faster than the tier of a key allows.
        environment = production(database.url(DATABASE), Path(data)) | {"PORTAL_API_LIMITS": "0"}
        os.environ.update(environment)
        return _soak(options, database, environment, Path(data))


def _soak(options: argparse.Namespace, database: PostgresqlServer, environment: dict[str, str], data: Path) -> int:
    import django  # noqa: PLC0415  (settings are read once the environment is as it should be)

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from tests.soak import run  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    found = asyncio.run(run.soak(options.sockets, options.seconds, database, environment, data))
    sys.stdout.write("\n".join([*found.lines, ""]))
    return 1 if found.wrong else 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
