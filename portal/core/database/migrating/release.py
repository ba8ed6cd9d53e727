"""Which release has migrated this database, so that an older one can say what it has met.

PostgreSQL keeps it as a comment on the table of migrations, which needs no table and goes with a dump. One process
serves an SQLite database: there nobody could be older than it.
"""

import re
from typing import Final

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

SAYS: Final = "Migrated by "


def is_ahead(loader: MigrationLoader) -> bool:
    """Whether a later release has migrated: what is applied of our apps is more than there is here."""
    known = loader.disk_migrations or {}
    apps = {app for app, _ in known}
    return any(app in apps and (app, name) not in known for app, name in loader.applied_migrations or {})


def note(release: str) -> None:
    """Say that all migrations of `release` are applied. Whoever does owns the tables."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("COMMENT ON TABLE django_migrations IS %s", [f"{SAYS}{release}"])


def noted() -> str:
    """The release that migrated last; empty where nobody said so."""
    if connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT obj_description(to_regclass('django_migrations'), 'pg_class')")
        said = str(cursor.fetchone()[0] or "")
    return said.removeprefix(SAYS) if said.startswith(SAYS) else ""


def has_later() -> bool:
    """Whether a later release than this one has migrated, so that nodes of it may serve beside this one."""
    return _parts(noted()) > _parts(settings.VERSION)


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"[0-9]+", version))
