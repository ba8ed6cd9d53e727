"""`manage.py paperdeposit`: something arrives for an Account from the simulated outside world."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.models import Account
from portal.core.errors import DomainError
from portal.core.management.pageless import PagelessCommand
from portal.core.money import parse_plain
from portal.venues.paper.deposits import arrival
from portal.venues.paper.venue import PaperVenue


class Command(PagelessCommand):
    help = "Sends an amount to an Account of the paper exchange. It counts in the balance a few seconds later."

    def add_arguments(self, parser: CommandParser) -> None:
        """For whom, what and how much."""
        parser.add_argument("--organization", required=True, help="its name")
        parser.add_argument("--account", default="Main", help="the Account's name (default: Main)")
        parser.add_argument("--asset", required=True, help="under any spelling, such as BTC")
        parser.add_argument("--amount", required=True, help="in digits with a point, such as 1.25")
        parser.add_argument("--method", default="", help="the network's name, if not the usual one")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Send it, and print where to and from when on it counts.

        Raises: CommandError for an Account, an asset or an amount that cannot be.
        """
        account = self._account(options["organization"], options["account"])
        try:
            amount = parse_plain(options["amount"])
            deposit = arrival.send(account.pk, options["asset"], amount, options["method"])
        except DomainError as error:
            raise CommandError(error.message) from error
        sent = f"{options['amount']} {options['asset'].upper()}"
        self.stdout.write(f"{sent} is on its way to {deposit.address} as {deposit.reference}.")
        self.stdout.write(f"It counts from {deposit.credit_at:%H:%M:%S} UTC on.")

    def _account(self, organization: str, name: str) -> Account:
        account = Account.objects.filter(organization__name__iexact=organization, name__iexact=name).first()
        if account is None:
            raise CommandError("There is no such Account.")
        if account.venue != PaperVenue.name:
            raise CommandError("That Account is not on the paper exchange.")
        return account
