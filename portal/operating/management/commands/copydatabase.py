"""Copies the database of DATABASE_URL into an empty one of PostgreSQL, or only compares the two."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from portal.core.database.outage import in_words
from portal.operating import typed
from portal.operating.copying import copier, databases
from portal.operating.copying.databases import CannotCopy


class Command(BaseCommand):
    help = (
        "Copy the database of DATABASE_URL into an empty PostgreSQL database: stop every node and `work` first. It can "
        "be interrupted and run again. At the end both are compared, row by row. With --check nothing is copied."
    )
    # What a database has to be is looked at by the copying itself, of both.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument(
            "--to", required=True, metavar="URL", help="postgres://user@host:5432/name, or @FILE that holds it"
        )
        parser.add_argument("--check", action="store_true", help="compare the two and copy nothing")

    def handle(self, *, to: str, check: bool, **options: Any) -> None:
        """Copy or compare, with a line for each step.

        Raises: CommandError with one line where it cannot be done, or they are not the same.
        """
        try:
            target, source = databases.target(typed.url(to)), databases.source()
            try:
                (copier.compare if check else copier.copy)(source, target, self._say)
            finally:
                target.close()
                source.close()
        except CannotCopy as error:
            raise CommandError(str(error)) from None
        except DatabaseError as error:
            raise CommandError(f"A database failed: {in_words(error)}. Run copydatabase again.") from None
        self.stdout.write("They are the same." if check else "Copied. Both are the same.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
