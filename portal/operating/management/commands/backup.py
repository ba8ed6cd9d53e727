"""`manage.py backup`: the whole database, sealed to a public key."""

import time
from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.operating.backups import age_files, databases, taking
from portal.operating.backups.failures import Failed
from portal.operating.backups.folder import in_words


class Command(BaseCommand):
    help = (
        "Back the database up: sealed to PORTAL_BACKUP_RECIPIENT (a public key of age), with a manifest beside it. "
        "The sealing keys are never in it. Prints one line."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to, what to keep, and whether it may lie there unsealed."""
        parser.add_argument("--to", type=Path, metavar="DIR", help="the folder; PORTAL_BACKUP_DIR unless given")
        parser.add_argument("--keep", type=_at_least_one, metavar="N", help="afterwards keep the newest N alone")
        parser.add_argument("--keep-days", type=_at_least_one, metavar="DAYS", help="afterwards remove older ones")
        parser.add_argument("--plain", action="store_true", help="do not seal it: whoever has the file reads it")

    def handle(
        self, *args: object, to: Path | None, keep: int | None, keep_days: int | None, plain: bool, **options: object
    ) -> None:
        """Take it.

        Raises: CommandError where it could not be taken, or is to be sealed to nobody.
        """
        began = time.monotonic()
        try:
            sealed_to = [] if plain else age_files.recipients(settings.BACKUP_RECIPIENT)
            if not (plain or sealed_to):
                raise Failed("PORTAL_BACKUP_RECIPIENT names no public key to seal to (age-keygen makes one).")
            where = (to or settings.BACKUP_DIR).resolve()
            wanted = taking.Wanted(databases.own(), where, sealed_to, keep, keep_days)
            taken = taking.take(wanted)
        except Failed as error:
            raise CommandError(str(error)) from error
        made = taken.manifest
        removed = f" Old ones removed: {taken.removed}." if taken.removed else ""
        self.stdout.write(
            f"{taken.path}: {in_words(made.size)} of a dump of {in_words(made.content_size)}, "
            f"from the {made.taken_from}, in {time.monotonic() - began:.1f} s.{removed}"
        )


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError
    return int(text)
