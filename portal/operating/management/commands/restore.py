"""`manage.py restore`: a backup into an empty database, or, with --check, into a scratch one to prove it."""

import time
from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.operating import typed
from portal.operating.backups import age_files, databases, folder, restoring
from portal.operating.backups.failures import Failed

NEXT = """Restored. It can be served once this is done:
  1. as this same role: manage.py databaseroles --web NAME --readonly NAME   (PostgreSQL; the names you use)
  2. let DATABASE_URL of every node and of `work` name this database, and start them
  3. what was done since the backup has to be done again by people: docs/runbooks/restore.md"""


class Command(BaseCommand):
    help = (
        "Restore a backup into an empty database, with all that has to be done before anybody is let in again. With "
        "--check into a scratch database, which is made, proved and dropped: a drill."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which backup, what opens it, where to."""
        parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the backup, its manifest beside it")
        parser.add_argument("--latest", action="store_true", help="the newest one in PORTAL_BACKUP_DIR")
        parser.add_argument(
            "--identity", metavar="KEYFILE", default=settings.BACKUP_IDENTITY,
            help="the private key of age that opens it; PORTAL_BACKUP_IDENTITY unless given",
        )  # fmt: skip
        parser.add_argument(
            "--to", default="", metavar="DATABASE_URL",
            help="the empty database, or the server for the scratch one: else the portal's own, or PORTAL_DRILL_URL; "
            "@FILE where a file holds its address",
        )  # fmt: skip
        parser.add_argument("--check", action="store_true", help="a drill: prove it in a scratch database")
        parser.add_argument("--keys-lost", action="store_true", help="the sealing keys are gone: go on without them")

    def handle(
        self,
        *args: object,
        file: Path | None,
        latest: bool,
        identity: str,
        to: str,
        check: bool,
        keys_lost: bool,
        **options: object,
    ) -> None:
        """Do it, and say what was done.

        Raises: CommandError with what is wrong.
        """
        began = time.monotonic()
        try:
            wanted = self._wanted(file, latest=latest, identity=identity, to=to, check=check, keys_lost=keys_lost)
            (restoring.drill if check else restoring.restore)(wanted, self.stdout.write)
        except Failed as error:
            raise CommandError(str(error)) from error
        took = f"{time.monotonic() - began:.1f} s"
        self.stdout.write(f"The drill passed: {wanted.file.name}, in {took}." if check else f"{NEXT}\nIt took {took}.")

    def _wanted(
        self, file: Path | None, *, latest: bool, identity: str, to: str, check: bool, keys_lost: bool
    ) -> restoring.Wanted:
        if (file is None) == (not latest):
            raise CommandError("Name a backup, or --latest.")
        found = folder.latest(settings.BACKUP_DIR) if file is None else file.resolve()
        url = typed.url(to) or (settings.DRILL_URL if check else "")
        target = databases.of_url(url).taking_changes() if url else databases.own()
        is_plain = not found.name.endswith(".age")
        identities = [] if is_plain or not identity else age_files.read_identities(Path(identity))
        return restoring.Wanted(found, identities, target, are_keys_lost=keys_lost)
