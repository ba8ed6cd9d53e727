"""`manage.py checkrestored`: what `restore` does in the database that it has restored, whose own process this is."""

from argparse import ArgumentParser
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Organization
from accounts.security import after_restore
from portal.audit.models import AuditEvent
from portal.core import call_origin
from portal.core.secrets import canary, sealed_fields
from portal.operating.backups import proving

BATCH: Final = 500


class Command(BaseCommand):
    help = (
        "Used by `restore` in the database that it has restored: brings it up to date, proves it, and makes worthless "
        "what was signed before. A drill asks no exchange; for good it is `afterrestore` that does it."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What it is for, and what is known of the backup."""
        parser.add_argument("--drill", action="store_true", help="the database goes again")
        parser.add_argument("--keys-lost", action="store_true", help="leave out what only the sealing keys prove")
        parser.add_argument("--kept", type=Path, metavar="FILE", required=True, help="the heads of its chains")

    def handle(self, *args: object, drill: bool, keys_lost: bool, kept: Path, **options: object) -> None:
        """Do it, and print a line for each thing that holds.

        Raises: CommandError at the first that does not.
        """
        # What is refused here counts against nobody elsewhere.
        settings.REDIS_URL = ""
        try:
            if not keys_lost:
                self.stdout.write(_opens())
            call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
            if not keys_lost:
                call_command("verifyaudit", kept=kept, stdout=StringIO())
                self.stdout.write(f"The history is whole: {AuditEvent.objects.count()} events, up to what was kept.")
            call_command("checkledger", stdout=self.stdout)
            for line in _drilled(keys_lost) if drill else self._after(keys_lost):
                self.stdout.write(line)
        except proving.NotProved as error:
            raise CommandError(str(error)) from error

    def _after(self, keys_lost: bool) -> Iterator[str]:
        calls = [] if keys_lost else proving.captured()
        call_command("afterrestore", yes=True, stdout=self.stdout)
        yield f"{proving.refused(calls)} calls that would have passed before are refused."


def _opens() -> str:
    if wrong := canary.wrong_keys(make=False):
        raise proving.NotProved(canary.in_words(wrong))
    for column in sealed_fields.everything():
        if place := next(column.unopened(BATCH), ""):
            raise proving.NotProved(f"PORTAL_SEALING_KEYS do not open what is sealed at {place}.")
    return "Everything that is sealed opens."


def _drilled(keys_lost: bool) -> Iterator[str]:
    """The same as `afterrestore` to all keys and sessions, between a proof that calls pass and one that they do not."""
    could = not keys_lost and proving.passes_before()
    calls = [] if keys_lost else proving.captured()
    with call_origin.origin(source="", via="restore --check"):
        lifted = sum(len(after_restore.close_the_past(each)[0]) for each in Organization.objects.order_by("pk"))
        after_restore.end_every_session()
        after_restore.end_every_link()
    yield f"{lifted} keys were lifted; {proving.refused(calls)} calls that passed before are refused."
    if not could:
        yield "No key was live, so no call could be tried."
