"""Migrations: whether the database is where this release expects it."""

from collections.abc import Iterator
from typing import Final

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from portal.core.database.migrating import release
from portal.operating.doctor.findings import Finding, Words

NAMED: Final = 5
words = Words("migrations")


def look() -> Iterator[Finding]:
    """Behind: it cannot serve. Ahead: another node is of a later version."""
    executor = MigrationExecutor(connection)
    behind = [
        f"{step.app_label}.{step.name}" for step, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())
    ]
    known = executor.loader.disk_migrations or {}
    apps = {app for app, _ in known}
    applied = MigrationRecorder(connection).applied_migrations()
    ahead = [f"{app}.{name}" for app, name in sorted(applied) if app in apps and (app, name) not in known]
    if behind:
        yield words.wrong(
            f"{len(behind)} are missing: {_some(behind)}",
            "As the role that owns the tables: manage.py migrate, then manage.py databaseroles.",
        )
    if ahead:
        by = release.noted() or "a later release"
        yield words.warn(f"migrated by {by}, which this node is not: {_some(ahead)}", "Replace it by that release.")
    yield from _broken_indexes()
    if not behind and not ahead:
        yield words.ok(f"all {len(known)} applied")


def _broken_indexes() -> Iterator[Finding]:
    """What was being built beside those who write, and was stopped, serves nobody and costs every write."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
            "WHERE NOT i.indisvalid AND c.relnamespace = current_schema()::regnamespace ORDER BY c.relname"
        )
        names = [str(name) for (name,) in cursor.fetchall()]
    if names:
        yield words.warn(
            f"indexes that were begun and not finished: {_some(names)}",
            "If no migrate runs, as the owner: manage.py migrate, or REINDEX INDEX CONCURRENTLY.",
        )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
