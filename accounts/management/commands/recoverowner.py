"""Lets a member in again who has lost every second factor: the operator's road, slow and loud (DESIGN M4)."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.models import User
from accounts.security import operator_recovery
from portal.core import call_origin
from portal.core.display.phrases import dated
from portal.core.errors import DomainError, Refused
from portal.core.secrets.canary import SealingCommand
from portal.jobs import mail


class Command(SealingCommand):
    help = (
        "Announce that a member's second factors will be reset; run it again after 48 hours to do so. "
        "Everybody in their organizations is told at both times, and any of them can cancel it between."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The address is all that the operator says."""
        parser.add_argument("email", help="of the member, most often the owner")

    def handle(self, *args: Any, **options: Any) -> None:
        """Announce a recovery; called again once its time has come, open it.

        Raises: CommandError if there is nobody with that address, or what is asked is refused, as before its time.
        """
        user = User.objects.filter(email=str(options["email"]).strip().lower()).first()
        if user is None:
            raise CommandError("There is nobody with this address.")
        try:
            with call_origin.origin(source="", via="recoverowner"):
                if operator_recovery.running(user):
                    self._open(user)
                else:
                    self._announce(user)
        except DomainError as error:
            raise CommandError(error.message) from error
        finally:
            mail.settle()

    def _announce(self, user: User) -> None:
        (first, *_) = operator_recovery.announce(user)
        self.stdout.write(f"Everybody in the organizations of {user.name} is being told.")
        self.stdout.write(f"Run this again after {dated(first.opens_at)} UTC, unless a member cancels it.")

    def _open(self, user: User) -> None:
        try:
            untold = operator_recovery.open_enrolment(user)
        except Refused as error:
            self.stdout.write(f"A recovery of {user.name} is announced.")
            raise CommandError(error.message) from error
        self.stdout.write(f"The factors of {user.name} are removed.")
        for place in untold:
            self.stdout.write(
                f"Not in {place.organization.name}, which {user.name} joined after it was announced. "
                "Run this again to announce it there too, or let a member there ask for a reset."
            )
        self.stdout.write(f"A link to enrol new ones was mailed to {user.email}.")
