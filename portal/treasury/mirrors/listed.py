"""One by one what an exchange lists, beside what the Account's book has: what can be imported, and what cannot."""

import hashlib
from dataclasses import dataclass

from django.utils.safestring import SafeString

from accounts.models import Account
from policies.models import ChangeRequest
from portal.treasury import address_book, destination_html, destinations
from portal.treasury.mirrors.listings import destination_of
from portal.treasury.models import Address
from portal.venues.types import AddressListing, ListedAddress


@dataclass(frozen=True, slots=True)
class Listed:
    """One address that the exchange lists. `token` stands for all that is said of it there.

    `book` is the row of that name here, `is_here` whether it is the same place, `waiting` the open request to add it.
    """

    row: ListedAddress
    book: Address | None
    is_here: bool
    waiting: ChangeRequest | None

    @property
    def token(self) -> str:
        """Another one for whatever of it is another."""
        row = self.row
        said = f"{row.key}\n{row.asset}\n{row.method}\n{row.address}\n{row.memo}"
        return hashlib.sha256(said.encode()).hexdigest()[:32]

    @property
    def is_offered(self) -> bool:
        """Whether it can be asked for."""
        return self.book is None and self.waiting is None

    @property
    def shown(self) -> SafeString:
        """All of it, as it is read letter by letter."""
        return destination_html.destination(destinations.network_by_look(self.row.address), self.row.address)


def beside_the_book(account: Account, listing: AddressListing) -> list[Listed]:
    """Everything that the exchange lists, by name, in two statements."""
    book = {address.key: address for address in Address.objects.filter(account=account, removed_at=None)}
    asked = {change.subject: change for change in address_book.additions_to(account)}
    return [
        Listed(
            row=row,
            book=book.get(row.key),
            is_here=row.key in book and not listing.contradiction(destination_of(book[row.key])),
            waiting=asked.get(f"address:{account.pk}:{row.key.lower()}"),
        )
        for row in sorted(listing.rows, key=lambda row: (row.key.lower(), row.asset))
    ]
