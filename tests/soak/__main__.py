"""`python -m tests.soak`: serves a portal on a PostgreSQL of its own, breaks it, and checks what its bots were told.

Ends with 1 and the frames around each fault, if there is one.
"""

import argparse
import asyncio
import base64
import contextlib
import os
import secrets
import sys
import tempfile
from pathlib import Path

from tests import postgresql_server
from tests.postgresql_server import PostgresqlServer
from tests.serving import surroundings

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
        environment = production(database, Path(data))
        os.environ.update(environment)
        return _soak(options, database, environment, Path(data))


def production(database: PostgresqlServer, data: Path) -> dict[str, str]:
    """The variables of a portal as it stands in public, behind a proxy on the same machine."""
    return surroundings() | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": database.url(DATABASE),
        "PORTAL_VAR": str(data),
        "PORTAL_SECRET_KEY": secrets.token_urlsafe(64),
        "PORTAL_SEALING_KEYS": "k1:" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "PORTAL_BASE_URL": "https://portal.soak.test",
        "PORTAL_ALLOWED_HOSTS": "portal.soak.test",
        "PORTAL_MAIL_FROM": "portal@soak.test",
        "PORTAL_TRUSTED_PROXIES": "127.0.0.1",
        # Mail is written, and thrown away.
        "EMAIL_URL": "dummymail://",
        # The bots are faster than the tier of a key allows.
        "PORTAL_API_LIMITS": "0",
    }


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
