"""`python -m benchmarks.alone`: the portal beside itself, in this process. Writes one ratio a line, as JSON.

DATABASE_URL chooses PostgreSQL; without it SQLite is measured.
"""

import json
import logging
import os
import sys
import warnings
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


def main() -> None:
    """Build a world in a database of its own, measure in it, and take it away again."""
    import django  # noqa: PLC0415  (settings are read once the environment is as it should be)

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")

    from django.db import connection  # noqa: PLC0415
    from django.template import Template  # noqa: PLC0415
    from django.test.utils import setup_test_environment  # noqa: PLC0415

    from accounts.api_keys import usage  # noqa: PLC0415
    from benchmarks import open_sockets, pages, sign_in, signed_call, start  # noqa: PLC0415
    from tests.factories import world as cast  # noqa: PLC0415

    rendered = Template._render  # type: ignore[attr-defined]  # noqa: SLF001
    setup_test_environment(debug=False)
    # Tests are shown every template with all that it was given, which a server shows nobody.
    Template._render = rendered  # type: ignore[attr-defined]  # noqa: SLF001
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        world = cast.build()
        for ratios in (start.ratios, signed_call.ratios, sign_in.ratios, open_sockets.ratios, pages.ratios):
            for ratio in ratios(world):
                sys.stdout.write(json.dumps(asdict(ratio)) + "\n")
                sys.stdout.flush()
    finally:
        usage.flush()
        if connection.vendor == "postgresql":
            _end_other_sessions(connection)
        connection.creation.destroy_test_db(name, verbosity=0)


def _end_other_sessions(connection: "BaseDatabaseWrapper") -> None:
    """The threads that answered what was measured keep theirs open, and a database in use is not taken away."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


if __name__ == "__main__":
    main()
