"""Django's `migrate`, which may take its time, but holds up nobody who is at work."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as Migrate
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from psycopg.errors import DeadlockDetected, LockNotAvailable

from portal.core.database.long_commands import Busy, alone, never_waiting_for_ever, unhurried
from portal.core.database.migrating import release
from portal.core.management.pageless import PagelessCommand


class Command(PagelessCommand, Migrate):
    """As Django's; what it is at is known, so that whoever is told to run it again is told which one it was."""

    at = ""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, one process at a time, and note in the database which release did.

        Raises: CommandError if a table was in use for longer than `lock_timeout`, or another `migrate` runs; what is
        done so far stays.
        """
        only_looks = options["plan"] or options["check_unapplied"]
        try:
            if only_looks:
                super().handle(*args, **options)
                return
            with unhurried(), never_waiting_for_ever(), alone("migrate"):
                super().handle(*args, **options)
                self._note(options)
        except Busy:
            raise CommandError("Another migrate runs on this database. Wait until it has ended.") from None
        except OperationalError as error:
            if isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
                raise CommandError(
                    f"{self.at or 'A migration'}: a table that it changes was in use for too long. It is not done, "
                    "those before it are. Run migrate again, at a quieter time if need be."
                ) from None
            raise

    def migration_progress_callback(self, action: str, migration: Migration | None = None, fake: bool = False) -> None:
        """Django's, and what is being done kept."""
        if migration is not None and action.endswith("_start"):
            self.at = str(migration)
        super().migration_progress_callback(action, migration, fake)

    def _note(self, options: dict[str, Any]) -> None:
        # One app, or back to an older state: then it is nobody's release. Of a later one this one knows nothing.
        if options["app_label"] is None and not release.is_ahead(MigrationLoader(connection)):
            release.note(settings.VERSION)
