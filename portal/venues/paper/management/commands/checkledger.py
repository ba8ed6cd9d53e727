"""`manage.py checkledger`: whether every balance and hold is what its postings and withdrawals add up to."""

from typing import Any

from django.core.management.base import CommandError

from portal.core.database.long_commands import unhurried
from portal.core.database.transactions import one_moment
from portal.core.management.pageless import PagelessCommand
from portal.venues.paper import reconciliation


class Command(PagelessCommand):
    help = "Adds the paper exchange's ledger up again. Says each difference and exits 1 if there is one."

    @unhurried()
    def handle(self, *_args: Any, **_options: Any) -> None:
        """Print each difference, all as of one moment: bots go on meanwhile.

        Raises: CommandError where there is any.
        """
        with one_moment():
            found = list(reconciliation.differences())
        for difference in found:
            self.stderr.write(difference)
        if found:
            raise CommandError(f"The ledger does not agree with itself in {len(found)} places.")
        self.stdout.write("The ledger agrees with itself.")
