"""Makes what the exchange beside the demo begins with. Only where DEBUG is on."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from portal.core.errors import DomainError
from portal.core.secrets.canary import SealingCommand
from portal.dashboard.demo import exchange
from portal.dashboard.demo.migrating import bring_up_to_date


class Command(SealingCommand):
    help = "Make the customer of the simulated exchange, and write its credentials into PORTAL_VAR."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to look first if the database is up to date."""
        parser.add_argument("--migrate", action="store_true", help="bring the database up to date first")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it where there is none.

        Raises: CommandError where DEBUG is off.
        """
        if not settings.DEBUG:
            raise CommandError("The exchange is simulated for trying out: set PORTAL_DEBUG=1, never where money is.")
        if options["migrate"]:
            bring_up_to_date(self)
        try:
            is_new = exchange.build()
        except DomainError as error:
            raise CommandError(f"The exchange could not be made. {error.message}") from error
        path = exchange.write()
        self.stdout.write(f"The exchange {'is made' if is_new else 'is there already'}. Its credentials: {path}")
