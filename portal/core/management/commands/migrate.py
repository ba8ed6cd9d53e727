"""Django's `migrate`, which may take its time, but holds up nobody who is at work."""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as Migrate
from django.db import OperationalError
from psycopg.errors import LockNotAvailable

from portal.core.database.long_commands import unhurried


class Command(Migrate):
    def handle(self, *args: Any, **options: Any) -> None:
        """Raises: CommandError if a table was in use for longer than `lock_timeout`; what is done so far stays."""
        try:
            with unhurried():
                super().handle(*args, **options)
        except OperationalError as error:
            if isinstance(error.__cause__, LockNotAvailable):
                raise CommandError(
                    "A table that this migration changes was in use for too long. Nothing of this one was done, those "
                    "before it are. Run migrate again, at a quieter time if need be."
                ) from None
            raise
