"""What has to be done once an older backup was restored, before anybody is let in again."""

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.core.management.base import CommandError

from accounts.models import Account, Organization
from accounts.security import after_restore
from policies.models import OPEN_STATES
from portal.core import call_origin
from portal.core.display.phrases import counted
from portal.core.errors import Unavailable
from portal.core.management.asking import agrees
from portal.core.management.pageless import PagelessCommand
from portal.core.money import from_units, plain
from portal.treasury.models import Withdrawal
from portal.venues.registry import venue
from portal.venues.types import WithdrawalQuery, WithdrawalRow

# How long before the end of the history withdrawals are shown, so that people recognize where it ends.
BEFORE: Final = timedelta(hours=1)
SHOWN: Final = 100


class Command(PagelessCommand):
    help = (
        "After a restore: make calls that were signed and links that were mailed before worthless, end all sessions, "
        "list what to look at."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whether to go on without asking."""
        parser.add_argument("--yes", action="store_true", help="do not ask whether a backup was really restored")

    def handle(self, *args: object, **options: bool) -> None:
        """Pause the bots, end every session, and print what people have to compare by hand.

        Raises: CommandError where whoever runs it does not say yes.
        """
        if not (options["yes"] or agrees("Every bot pauses for a minute, everybody signs in anew. Go on?")):
            raise CommandError("Nothing was changed.")
        with call_origin.origin(source="", via="afterrestore"):
            for organization in Organization.objects.order_by("pk"):
                self._close(organization)
            ended = after_restore.end_every_session()
            after_restore.end_every_link()
        self.stdout.write(f"{ended} sessions were ended.")

    def _close(self, organization: Organization) -> None:
        lifted, reaches = after_restore.close_the_past(organization)
        until = "nothing" if reaches is None else f"{reaches:%Y-%m-%d %H:%M:%S} UTC"
        self.stdout.write(f"{organization.name}: its history reaches to {until}. {len(lifted)} keys were lifted.")
        for found in lifted:
            if not found.is_sure:
                self.stdout.write(
                    f"  {found.key.service_user.name}: which clock its bot counts by is not known. From now on the key "
                    f"takes nonces in {found.clock} only: a bot that sends others needs a new key."
                )
        for line in _withdrawals(organization, reaches):
            self.stdout.write(f"  {line}")


def _withdrawals(organization: Organization, reaches: datetime | None) -> Iterator[str]:
    """What waits to be sent, what was asked lately, and what the venue has sent that is not known here."""
    rows = Withdrawal.objects.filter(organization=organization).select_related("change", "account")
    waiting = rows.filter(change__state__in=OPEN_STATES)
    since = None if reaches is None else reaches - BEFORE
    for account in Account.objects.filter(organization=organization).order_by("pk"):
        exchange = venue(account.venue)
        states = {row.reference: row.change.shown_state.label for row in waiting.filter(account=account)}
        for reference, found in exchange.withdrawals_by_reference(sorted(states)).items():
            yield f"Open, may have been sent since: {_told(account, found)}, {states[reference].lower()}"
        doubted = exchange.doubt_withdrawals(account.pk)
        if doubted:
            yield f"{account.name}: {counted(doubted, 'withdrawal')} will be looked for there before anything is sent."
        try:
            page = exchange.withdrawals(account.pk, WithdrawalQuery(since=since, limit=SHOWN))
        except Unavailable as error:
            yield f"{account.name}: what its exchange has sent cannot be listed. {error.message}"
            continue
        known = set(rows.filter(reference__in=[row.reference for row in page.rows]).values_list("reference", flat=True))
        for found in page.rows:
            what = "Known" if found.reference in known else "NOT KNOWN HERE, look into it"
            yield f"{what}: {_told(account, found)}, {found.stage.value}"
        if page.next_cursor:
            yield f"There are more than {SHOWN} since in {account.name}: see the page of withdrawals."


def _told(account: Account, row: WithdrawalRow) -> str:
    amount = plain(from_units(row.amount_units, row.asset.decimals))
    what = f"{amount} {row.asset.code} from {account.name} to {row.destination.key}"
    return f"{row.at:%Y-%m-%d %H:%M:%S} {what} ({row.reference})"
