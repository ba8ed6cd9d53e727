"""What an exchange lists of its own book, and how the Account's book here stands to it."""

from collections.abc import Iterable
from typing import Final

from accounts.models import Account
from portal.core.database.one_reading import once
from portal.jobs.isolated_loop import each
from portal.treasury.models import Address
from portal.venues.registry import venue
from portal.venues.types import AddressListing, Destination

FIRST_THERE: Final = (
    "The exchange sends only to addresses of its own book, and only a person can add one there. "
    "Add it at the exchange first."
)
NO_RENAMING: Final = (
    "The exchange knows the address by this name, and is asked for it by this name. "
    "Rename it at the exchange, remove it here, and import it under its new name."
)
BARRED: Final = "Nobody can approve it until the exchange lists the address as it was agreed to here."


def listing_of(account: Account) -> AddressListing | None:
    """What the exchange last said of its book; None where the Account's book is its own. Once for each page."""
    return once(("listing of", account.pk), lambda: venue(account.venue).listed_addresses([account.pk]).get(account.pk))


def listings_of(accounts: Iterable[Account]) -> dict[int, AddressListing]:
    """The same of several Accounts, in one statement for each venue that mirrors."""
    by_venue: dict[str, list[int]] = {}
    for account in accounts:
        by_venue.setdefault(account.venue, []).append(account.pk)
    return {
        account_id: listing
        for name, account_ids in by_venue.items()
        for account_id, listing in venue(name).listed_addresses(account_ids).items()
    }


def trouble_with(account: Account, address: Address) -> str:
    """Why nothing may be sent there, by what the exchange last listed; empty if nothing is against it.

    `account` is the address's own, which whoever asks has at hand.
    """
    return venue(account.venue).destination_trouble(account.pk, destination_of(address))


def destination_of(address: Address) -> Destination:
    """What a row of the book says, by value."""
    return Destination(
        key=address.key, address=address.address, method=address.method, network=address.network, memo=address.memo
    )


def watch() -> int:
    """Compare every book that mirrors one with what its exchange last listed; how many alarms that raised."""
    accounts = {account.pk: account for account in Account.objects.order_by("pk")}
    mirrored = [accounts[account_id] for account_id in listings_of(accounts.values())]
    return each(mirrored, _watch, what="compare a book of addresses with the exchange's")


def _watch(account: Account) -> int:
    book = Address.objects.filter(account=account, removed_at=None)
    return venue(account.venue).watch_destinations(account.pk, [destination_of(address) for address in book])
